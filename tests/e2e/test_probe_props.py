from tests.e2e.customers import GLOBEX, settings
import json
def test_probe(stack, qlik):
    stack.write(**settings(GLOBEX))
    stack.up()
    print(json.dumps(stack.outputs(), indent=1))
    d = qlik.control.dump()
    print(json.dumps(d, indent=1)[:15000])
    print(stack.preview("--diff").output)
    assert 0
