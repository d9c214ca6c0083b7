"""The rules that hold for every kind: what check makes of inputs, what differs, what comes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pulumi.output import UNKNOWN, Unknown

from tenantry.providers import resource_types
from tenantry.providers.framework import adapter, engine
from tenantry.providers.framework.adapter import Provider
from tenantry.providers.framework.errors import Unfinished
from tenantry.providers.framework.properties import REQUIRED, Change, Property, integers
from tenantry.providers.framework.resource import provider_string
from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tests.providers.samples import SAMPLES, TENANT

ROOT = Path(__file__).resolve().parents[3]
EVERY = [
    (name, each)
    for name, kind in resource_types().items()
    for each in kind.inputs()
    if each.change is not Change.NOT_KEPT
]
EACH_PROPERTY = pytest.mark.parametrize(
    ("kind", "each"), [pytest.param(name, each, id=f"{name}.{each.name}") for name, each in EVERY]
)
EACH_KIND = pytest.mark.parametrize("kind", SAMPLES)

# Templates and persons are named in one of two ways, and a task has one trigger: no sample can have both.
INSTEAD = {
    ("App", "template_id"): ("template", "a0"),
    ("ReloadTask", "after_task"): ("recurrence", "t1"),
    ("TenantAdmin", "subject"): ("email", "auth0|ada"),
}


def of(kind: str) -> Provider:
    return Provider(resource_types()[kind].module())


def sample(kind: str, each: Property[Any]) -> dict[str, Any]:
    """Inputs of the kind in which the property is surely set."""
    inputs = dict(SAMPLES[kind])
    if (kind, each.name) in INSTEAD:
        other, value = INSTEAD[kind, each.name]
        del inputs[other]
        inputs[each.name] = value
    assert each.name in inputs
    return inputs


def another(value: Any) -> Any:
    """A value of the same type that differs; it need not be one that Qlik takes."""
    if isinstance(value, bool):
        return not value
    return value | {"tenant_id": "t2"} if isinstance(value, dict) else value + value


def checked(kind: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> Any:
    """What check returns, as inputs and a list of (property, reason)."""
    result = of(kind).check(olds or {}, news)
    return result.inputs, [(failure.property, failure.reason) for failure in result.failures]


@EACH_KIND
def test_the_samples_set_every_property_and_are_right(kind: str) -> None:
    """Otherwise the tests below would prove less than they say."""
    inputs, failures = checked(kind, SAMPLES[kind])
    assert failures == []
    assert inputs == SAMPLES[kind]
    extra = {name for of_kind, name in INSTEAD if of_kind == kind}
    assert inputs.keys() | extra == {each.name for name, each in EVERY if name == kind}


@EACH_PROPERTY
def test_null_empty_and_unset_mean_the_same(kind: str, each: Property[Any]) -> None:
    """Whichever of them a stack file has: the same inputs, the same complaints, so never a difference. Only
    where unset means "left alone", an empty list means that there shall be nothing.
    """
    unset = {name: value for name, value in sample(kind, each).items() if name != each.name}
    value = sample(kind, each)[each.name]
    empty = [type(value)()] if isinstance(value, str | list | dict) else []
    expected = checked(kind, unset)
    if each.default is REQUIRED:
        assert expected[1] == [(each.name, "is required")]
    else:
        assert expected[0].get(each.name) == each.default
    if each.default is None and empty == [[]]:
        assert checked(kind, unset | {each.name: empty.pop()})[0][each.name] == []
    for nothing in (None, *empty):
        assert checked(kind, unset | {each.name: nothing}) == expected


@EACH_PROPERTY
def test_sets_are_sorted_and_without_doubles(kind: str, each: Property[Any]) -> None:
    """The order of a list in a file never makes a difference."""
    value = sample(kind, each)[each.name]
    if not isinstance(value, list):
        assert each.canonical(value) == value
        return
    assert len(value) > 1
    given = sample(kind, each) | {each.name: [*reversed(value), value[0]]}
    assert checked(kind, given) == checked(kind, sample(kind, each))
    in_order = sorted(value, key=lambda item: item if isinstance(item, str) else str(sorted(item.items())))
    assert checked(kind, given)[0][each.name] == in_order


@EACH_PROPERTY
def test_a_value_of_another_type_is_told_by_its_property(kind: str, each: Property[Any]) -> None:
    """Nothing is turned into the right type by guessing: `version: 2.1` is a mistake. Of a sensitive one only
    the text names it, since the engine shows the value of the property that a failure is about.
    """
    _, failures = checked(kind, sample(kind, each) | {each.name: 2.5})
    assert {name for name, _ in failures} == {"" if each.sensitive else each.name}
    assert all(("2.5" not in text and text.startswith(each.name)) for name, text in failures if not name)


@EACH_PROPERTY
def test_what_is_unknown_comes_back_untouched(kind: str, each: Property[Any]) -> None:
    """In a preview: the value itself, also deep in a list or an object, and no complaint about it."""
    given = sample(kind, each) | {each.name: UNKNOWN}
    inputs, failures = checked(kind, given)
    assert (inputs[each.name], failures) == (UNKNOWN, [])
    for nested in (["b", UNKNOWN, "a"], {"hostname": UNKNOWN, "tenant_id": "t1"}):
        inputs, failures = checked(kind, given | {each.name: nested})
        assert (inputs[each.name], failures) == (nested, [])


@EACH_PROPERTY
def test_what_an_unknown_value_replaces(kind: str, each: Property[Any]) -> None:
    """A reference is unknown only while its object is replaced, so that replaces this one too; except where
    it follows. Any other property replaces as it always does.
    """
    have = sample(kind, each)
    result = of(kind).diff("id", have | {PROVIDER_KEY: "p"}, have | {each.name: UNKNOWN, PROVIDER_KEY: "p"})
    replaces = (bool(each.reference) and not each.follows) or each.change is Change.REPLACES
    assert result.replaces == ([each.name] if replaces else [])


def test_an_unknown_reference_by_name() -> None:
    """The rule above, written out once, so that it does not only repeat the declarations."""
    have = SAMPLES["AppPublication"]
    diff = of("AppPublication").diff
    assert diff("id", have, have | {"source_app": UNKNOWN}).replaces == []
    assert diff("id", have, have | {"space": UNKNOWN}).replaces == ["space"]
    assert diff("id", have, have | {"space": "s3"}).replaces == []
    assert diff("id", have, have | {"tenant": UNKNOWN}).replaces == ["tenant"]


@EACH_PROPERTY
def test_create_only_never_makes_a_difference(kind: str, each: Property[Any]) -> None:
    """It keeps the value that the object was made with, whatever the file says now; all others do not."""
    have = sample(kind, each)
    value = have[each.name]
    changed = [*value, "z"] if isinstance(value, list) else another(value)
    want, _ = checked(kind, have | {each.name: changed}, have)
    gone, _ = checked(kind, {name: value for name, value in have.items() if name != each.name}, have)
    added, _ = checked(kind, have, {name: value for name, value in have.items() if name != each.name})
    if each.change is Change.AT_CREATION:
        assert want == gone == have
        assert each.name not in added
    else:
        assert want[each.name] == each.canonical(changed) != have[each.name]
        assert gone.get(each.name) == (None if each.default is REQUIRED else each.default)
        assert added[each.name] == have[each.name]


def test_what_is_not_kept_reaches_create_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked, and then neither stored, nor a difference, nor an output."""
    templates = {"Sales": {"version": "2.3.0"}}
    given = SAMPLES["Tenant"] | {"templates": templates}
    assert checked("Tenant", given) == (SAMPLES["Tenant"], [])
    assert checked("Tenant", given, SAMPLES["Tenant"]) == (SAMPLES["Tenant"], [])
    [(name, _)] = checked("Tenant", given | {"templates": ["Sales"]})[1]
    assert name == "templates"

    provider, got = of("Tenant"), list[dict[str, Any]]()

    def create(_cloud: Cloud, want: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        got.append(want)
        return "id", {}

    monkeypatch.setattr(provider.handler, "create", create)
    provider.check({}, given)
    made = provider.create(SAMPLES["Tenant"])
    assert got == [given]
    assert made.outs == SAMPLES["Tenant"]


def test_numbers_come_back_as_integers_at_any_depth() -> None:
    """The engine hands all numbers over as floats, and Qlik refuses `30.0`."""
    inputs, failures = checked("Tenant", SAMPLES["Tenant"] | {"grace_days": 20.0})
    assert (inputs, failures) == (SAMPLES["Tenant"], [])
    assert type(inputs["grace_days"]) is int
    deep = integers({"a": [1.0, {"b": 2.0}], "c": 2.5, "d": True, "e": "3.0"})
    assert repr(deep) == "{'a': [1, {'b': 2}], 'c': 2.5, 'd': True, 'e': '3.0'}"


def test_a_typing_error_is_told_with_what_was_meant() -> None:
    """A property that does not exist is a mistake, not a no-op; outputs that the SDK passes on are none."""
    _, failures = checked("Space", SAMPLES["Space"] | {"descripton": "x", "owner_id": None})
    assert failures == [("descripton", "Space has no property 'descripton' (the closest is description)")]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("Group", {"tenant", "name", "provider_type"}),
        ("Space", {"tenant", "name"}),
        ("SpaceAssignment", {"tenant", "space", "assignee"}),
        ("AppPublication", {"tenant", "space", "name"}),
    ],
)
def test_a_replacement_that_keeps_its_natural_key_deletes_first(kind: str, key: set[str]) -> None:
    """Else create would find the old object, return its id, and the engine would then delete that."""
    have = SAMPLES[kind]
    for each in resource_types()[kind].inputs():
        result = of(kind).diff("id", have, have | {each.name: UNKNOWN})
        assert bool(result.delete_before_replace) == (each.name not in key), each.name
    assert of(kind).diff("id", have, have).delete_before_replace


def test_a_new_version_of_an_app_comes_before_the_old_one_goes() -> None:
    """Its mark differs, so the two never collide; one that stays the same app must go first."""
    have = SAMPLES["App"]
    assert not of("App").diff("id", have, have | {"version": "2.4.0"}).delete_before_replace
    assert of("App").diff("id", have, have | {"space": UNKNOWN}).delete_before_replace


@EACH_KIND
def test_nothing_changed_is_no_difference(kind: str) -> None:
    """Outputs, and the provider string, are not compared with inputs."""
    known = resource_types()[kind].properties.values()
    outputs = {each.name: "seen" for each in known if each.computed and each.at_qlik}
    result = of(kind).diff("id", SAMPLES[kind] | outputs | {PROVIDER_KEY: "p"}, SAMPLES[kind])
    assert (result.changes, result.replaces) == (None, [])


def test_checks_import_neither_pydantic_nor_requests() -> None:
    """Every run pays for its imports; pydantic judges, and words, what is not right at first sight."""
    program = """
import sys
from tests.providers.samples import SAMPLES
from tenantry.providers import resource_types
from tenantry.providers.framework.adapter import Provider
for name, kind in resource_types().items():
    provider, inputs = Provider(kind.module()), SAMPLES[name]
    assert provider.check(inputs, inputs).inputs == inputs
    provider.diff("id", inputs, inputs)
    assert not provider.check({}, {key: inputs[key] for key in inputs if key != "revive"}).failures
heavy = {"pydantic", "requests", "urllib3"} & sys.modules.keys()
assert not heavy, heavy
assert provider.check({}, inputs | {"tenant": 1}).failures
assert "pydantic" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


SPACE = {
    "id": "s1",
    "name": "Sales",
    "type": "managed",
    "description": "",
    "ownerId": "u1",
    "createdBy": "u1",
}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> MockTransport:
    """A Qlik that has one space and one tenant, and takes every change."""

    def answer(call: Call) -> Reply:
        if call.method in ("PATCH", "DELETE"):
            return Reply(204)
        if call.path == "/api/v1/tenants/t1":
            flags = {
                "autoAssignCreateSharedSpacesRoleToProfessionals": True,
                "enableAppOpeningFeedback": True,
            }
            return Reply(
                200, {"id": "t1", "name": "Globex", "hostnames": [TENANT], "status": "active"} | flags
            )
        return Reply(201 if call.method == "POST" else 200, SPACE)

    network = MockTransport(answer)
    cloud = Cloud(ENVIRONMENT, adapter=network, clock=FakeClock())
    monkeypatch.setattr(adapter, "_cloud", lambda: cloud)
    return network


def asked(network: MockTransport) -> list[tuple[str, Any]]:
    """The requests but those for tokens: method and JSON."""
    calls = [call for call in network.calls if call.path != "/oauth/token"]
    return [(call.method, call.json if call.body else None) for call in calls]


WANT = {"tenant": TENANT, "name": "Sales", "type": "managed", "description": ""}
KEY = {PROVIDER_KEY: provider_string("space")}


def test_create_and_update_return_all_outputs(network: MockTransport) -> None:
    """What they leave out would be erased from the state."""
    made = of("Space").create(WANT | KEY)
    assert (made.id, made.outs) == ("s1", WANT | {"owner_id": "u1"})
    want = WANT | {"name": "Revenue"}
    assert made.outs is not None
    assert of("Space").update("s1", made.outs | KEY, want | KEY).outs == want | {"owner_id": "u1"}
    patch = [{"op": "replace", "path": "/name", "value": "Revenue"}]
    assert asked(network) == [
        ("POST", {"name": "Sales", "type": "managed", "description": ""}),
        ("PATCH", patch),
    ]


def test_read_returns_the_live_values_as_inputs_too(network: MockTransport) -> None:
    """So that a refresh shows which property differs, and how."""
    result = of("Space").read("s1", WANT | KEY | {"description": "Ours", "owner_id": "u0", "adopt": True})
    assert result.id == "s1"
    assert result.outs == WANT | {"owner_id": "u1", "adopt": True}
    assert result.inputs == WANT | {"adopt": True}


@pytest.mark.usefixtures("network")
def test_what_is_not_set_is_not_read() -> None:
    """A property left alone is no input, so what Qlik has there is no drift."""
    have = {"region": "eu", "source_tenant": "s", "name": "Globex", "status": "active", "grace_days": 30}
    managed = have | {"enable_app_opening_feedback": False}
    outputs = {"tenant_id": "t1", "hostname": TENANT}
    result = of("Tenant").read(TENANT, managed | outputs)
    assert result.inputs == have | {"enable_app_opening_feedback": True}
    assert result.outs == result.inputs | outputs


def test_what_is_not_set_is_not_sent(network: MockTransport) -> None:
    """Neither in an update nor when it was set before: Qlik's value stays."""
    have = SAMPLES["Tenant"] | {"tenant_id": "t1", "hostname": TENANT, PROVIDER_KEY: "p"}
    want = {name: have[name] for name in ("region", "source_tenant", "status", "grace_days")}
    of("Tenant").update(TENANT, have, want | {"name": "Globex Ltd", PROVIDER_KEY: "p"})
    assert asked(network) == [("PATCH", [{"op": "replace", "path": "/name", "value": "Globex Ltd"}])]


def test_what_is_not_set_is_not_recorded_of_a_half_made_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would look managed from then on, and Qlik's own value would be a difference."""
    recorded: list[dict[str, Any]] = []

    def unfinished(_cloud: Cloud, want: dict[str, Any]) -> None:
        live = {"name": "x1y2z3", "enable_app_opening_feedback": True, "tenant_id": "t1"}
        raise Unfinished(TENANT, want | live, Exception("no"))

    def record(_id: str, outs: dict[str, Any], _message: str) -> Exception:
        recorded.append(outs)
        return Exception("recorded")

    monkeypatch.setattr(of("Tenant").handler, "create", unfinished)
    monkeypatch.setattr(engine, "partial_failure", record)
    with pytest.raises(Exception, match="recorded"):
        of("Tenant").create({"region": "eu", "name": "Globex", PROVIDER_KEY: "p"})
    assert recorded == [{"region": "eu", "name": "x1y2z3", "tenant_id": "t1", PROVIDER_KEY: "p"}]


def test_unknown_is_never_equal() -> None:
    """Also where it hides in a list: it may turn out to be anything."""
    assert isinstance(UNKNOWN, Unknown)
    assert adapter.differs(["a", UNKNOWN], ["a", UNKNOWN])
    assert adapter.differs("a", UNKNOWN)
    assert not adapter.differs(["a"], ["a"])
