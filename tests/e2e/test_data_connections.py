"""Data connections with the real engine: secrets are never in plain text, and a rotation is one request."""

from __future__ import annotations

import json

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.providers.test_data_connection import EXAMPLE, PATH

FIRST, SECOND = "first-pass+word/of globex", "second-pass+word/of globex"


def test_a_connections_secret_is_never_in_plain_text(stack: Stack, qlik: Emulator) -> None:
    """Tenantry hides it even if Qlik's error contains it."""
    entry = {"Sales DB": EXAMPLE["Sales DB"] | {"space": "Staging", "credentials": {"password": "sales"}}}
    stack.write(**settings(with_changes(GLOBEX, ("data_connections", entry))))
    stack.set_secret("sales", FIRST)
    results = [stack.up()]
    assert ("create", "DataConnection Sales DB") in results[-1].operations
    results.append(stack.pulumi("refresh", "--yes", "--skip-preview"))
    results.append(stack.up("--expect-no-changes"))

    stack.set_secret("sales", SECOND)
    body = {"errors": [{"code": "X", "title": "No", "detail": f"cannot log in with {SECOND}"}]}
    qlik.control.add_fault(method="PATCH", path=f"{PATH}/*", status=400, body=body, times=1)
    results.append(stack.up(expect=1))
    assert "cannot log in with [secure]" in results[-1].output
    results.append(stack.preview("--diff"))
    results.append(stack.up())
    assert [request["method"] for request in results[-1].requests if PATH in request["path"]] == ["PATCH"]
    results.append(stack.up("--expect-no-changes"))

    connections = [
        connection for docs in qlik.control.dump().values() for connection in docs.get("data-connection", [])
    ]
    assert [connection["_secret"] for connection in connections] == [{"password": SECOND}]
    texts = {str(result.args): f"{result.output}{json.dumps(result.events)}" for result in results}
    texts["stack export"] = json.dumps(stack.export())
    texts["requests"] = json.dumps(qlik.control.requests(all=True))
    for file in stack.folder.rglob("*"):
        if file.is_file() and not any(path.is_symlink() for path in (file, *file.parents)):
            texts[str(file)] = file.read_text("utf-8", "replace")
    secrets = (FIRST, SECOND)
    assert [place for place, text in texts.items() if any(secret in text for secret in secrets)] == []
