"""Rules for every resource type: what `check` returns, what counts as a difference, which outputs return."""

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
STORED_PROPERTIES = [
    (type_name, prop)
    for type_name, resource_type in resource_types().items()
    for prop in resource_type.inputs()
    if prop.change is not Change.NOT_KEPT
]
every_property = pytest.mark.parametrize(
    ("type_name", "prop"),
    [pytest.param(type_name, prop, id=f"{type_name}.{prop.name}") for type_name, prop in STORED_PROPERTIES],
)
every_resource_type = pytest.mark.parametrize("type_name", SAMPLES)

# A sample holds only one of two properties that exclude each other. These are the other ones.
ALTERNATIVES = {
    ("App", "template_id"): ("template", "a0"),
    ("ReloadTask", "after_task"): ("recurrence", "t1"),
    ("TenantAdmin", "subject"): ("email", "auth0|ada"),
}


def provider_of(type_name: str) -> Provider:
    """Create the provider of a resource type."""
    return Provider(resource_types()[type_name].module())


def sample(type_name: str, prop: Property[Any]) -> dict[str, Any]:
    """Return inputs of the resource type that include the property."""
    inputs = dict(SAMPLES[type_name])
    if (type_name, prop.name) in ALTERNATIVES:
        excluded, value = ALTERNATIVES[type_name, prop.name]
        del inputs[excluded]
        inputs[prop.name] = value
    assert prop.name in inputs
    return inputs


def different(value: Any) -> Any:
    """Return another value of the same type. Qlik might refuse it."""
    if isinstance(value, bool):
        return not value
    return value | {"tenant_id": "t2"} if isinstance(value, dict) else value + value


def checked(type_name: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> Any:
    """Run `check` and return the inputs and a list of (property, reason)."""
    result = provider_of(type_name).check(olds or {}, news)
    return result.inputs, [(failure.property, failure.reason) for failure in result.failures]


@every_resource_type
def test_the_samples_are_valid_and_set_every_property(type_name: str) -> None:
    """Otherwise the tests below would cover less than they claim."""
    inputs, failures = checked(type_name, SAMPLES[type_name])
    assert failures == []
    assert inputs == SAMPLES[type_name]
    alternatives = {name for owner, name in ALTERNATIVES if owner == type_name}
    declared = {prop.name for owner, prop in STORED_PROPERTIES if owner == type_name}
    assert inputs.keys() | alternatives == declared


@every_property
def test_null_empty_and_unset_mean_the_same(type_name: str, prop: Property[Any]) -> None:
    """All three give the same inputs and the same failures, so switching between them is never a difference.

    The exception is a list with the default None. If unset, the list at Qlik stays. If empty, it is emptied.
    """
    unset = {name: value for name, value in sample(type_name, prop).items() if name != prop.name}
    value = sample(type_name, prop)[prop.name]
    empty = [type(value)()] if isinstance(value, str | list | dict) else []
    expected = checked(type_name, unset)
    if prop.default is REQUIRED:
        assert expected[1] == [(prop.name, "is required")]
    else:
        assert expected[0].get(prop.name) == prop.default
    if prop.default is None and empty == [[]]:
        assert checked(type_name, unset | {prop.name: empty.pop()})[0][prop.name] == []
    for empty_value in (None, *empty):
        assert checked(type_name, unset | {prop.name: empty_value}) == expected


@every_property
def test_sets_are_sorted_and_without_duplicates(type_name: str, prop: Property[Any]) -> None:
    """The order of a list in a file never makes a difference."""
    value = sample(type_name, prop)[prop.name]
    if not isinstance(value, list):
        assert prop.canonical(value) == value
        return
    assert len(value) > 1
    unsorted = sample(type_name, prop) | {prop.name: [*reversed(value), value[0]]}
    assert checked(type_name, unsorted) == checked(type_name, sample(type_name, prop))
    in_order = sorted(value, key=lambda item: item if isinstance(item, str) else str(sorted(item.items())))
    assert checked(type_name, unsorted)[0][prop.name] == in_order


@every_property
def test_a_value_of_the_wrong_type_is_a_failure_of_its_property(type_name: str, prop: Property[Any]) -> None:
    """Values are never converted: `version: 2.1` is a mistake.

    The engine prints the value of the property that a failure names. The failure of a sensitive property
    therefore mentions the property only in its text.
    """
    _, failures = checked(type_name, sample(type_name, prop) | {prop.name: 2.5})
    assert {name for name, _ in failures} == {"" if prop.sensitive else prop.name}
    assert all(("2.5" not in text and text.startswith(prop.name)) for name, text in failures if not name)


@every_property
def test_check_returns_unknown_values_untouched(type_name: str, prop: Property[Any]) -> None:
    """A preview has unknown values, also deep in a list or an object. They are no failures."""
    preview = sample(type_name, prop) | {prop.name: UNKNOWN}
    inputs, failures = checked(type_name, preview)
    assert (inputs[prop.name], failures) == (UNKNOWN, [])
    for nested in (["b", UNKNOWN, "a"], {"hostname": UNKNOWN, "tenant_id": "t1"}):
        inputs, failures = checked(type_name, preview | {prop.name: nested})
        assert (inputs[prop.name], failures) == (nested, [])


@every_property
def test_an_unknown_reference_replaces_the_resource(type_name: str, prop: Property[Any]) -> None:
    """A reference is unknown only while the engine replaces the object that it refers to.

    References that follow their object do not replace. All other properties replace as their `change` says.
    """
    have = sample(type_name, prop)
    result = provider_of(type_name).diff(
        "id", have | {PROVIDER_KEY: "p"}, have | {prop.name: UNKNOWN, PROVIDER_KEY: "p"}
    )
    replaces = (bool(prop.reference) and not prop.follows) or prop.change is Change.REPLACES
    assert result.replaces == ([prop.name] if replaces else [])


def test_an_unknown_space_replaces_an_app_publication() -> None:
    """Spell out the rule above for one type. The test above only derives it from the declarations."""
    have = SAMPLES["AppPublication"]
    diff = provider_of("AppPublication").diff
    assert diff("id", have, have | {"source_app": UNKNOWN}).replaces == []
    assert diff("id", have, have | {"space": UNKNOWN}).replaces == ["space"]
    assert diff("id", have, have | {"space": "s3"}).replaces == []
    assert diff("id", have, have | {"tenant": UNKNOWN}).replaces == ["tenant"]


@every_property
def test_a_create_only_property_never_makes_a_difference(type_name: str, prop: Property[Any]) -> None:
    """It keeps the value from the creation of the object, whatever the file says now."""
    have = sample(type_name, prop)
    value = have[prop.name]
    new_value = [*value, "z"] if isinstance(value, list) else different(value)
    without = {name: value for name, value in have.items() if name != prop.name}
    changed, _ = checked(type_name, have | {prop.name: new_value}, have)
    removed, _ = checked(type_name, without, have)
    added, _ = checked(type_name, have, without)
    if prop.change is Change.AT_CREATION:
        assert changed == removed == have
        assert prop.name not in added
    else:
        assert changed[prop.name] == prop.canonical(new_value) != have[prop.name]
        assert removed.get(prop.name) == (None if prop.default is REQUIRED else prop.default)
        assert added[prop.name] == have[prop.name]


def test_a_property_that_is_not_kept_reaches_only_create(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked, but it is not stored, not compared, and not an output."""
    templates = {"Sales": {"version": "2.3.0"}}
    inputs = SAMPLES["Tenant"] | {"templates": templates}
    assert checked("Tenant", inputs) == (SAMPLES["Tenant"], [])
    assert checked("Tenant", inputs, SAMPLES["Tenant"]) == (SAMPLES["Tenant"], [])
    [(name, _)] = checked("Tenant", inputs | {"templates": ["Sales"]})[1]
    assert name == "templates"

    provider, received = provider_of("Tenant"), list[dict[str, Any]]()

    def create(_cloud: Cloud, want: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        received.append(want)
        return "id", {}

    monkeypatch.setattr(provider.handler, "create", create)
    provider.check({}, inputs)
    result = provider.create(SAMPLES["Tenant"])
    assert received == [inputs]
    assert result.outs == SAMPLES["Tenant"]


def test_whole_numbers_become_integers_at_any_depth() -> None:
    """The engine passes all numbers as floats, and Qlik refuses `30.0`."""
    inputs, failures = checked("Tenant", SAMPLES["Tenant"] | {"grace_days": 20.0})
    assert (inputs, failures) == (SAMPLES["Tenant"], [])
    assert type(inputs["grace_days"]) is int
    deep = integers({"a": [1.0, {"b": 2.0}], "c": 2.5, "d": True, "e": "3.0"})
    assert repr(deep) == "{'a': [1, {'b': 2}], 'c': 2.5, 'd': True, 'e': '3.0'}"


def test_an_unknown_property_is_refused_with_the_closest_name() -> None:
    """Outputs are accepted, because the SDK passes them along with the inputs."""
    _, failures = checked("Space", SAMPLES["Space"] | {"descripton": "x", "owner_id": None})
    assert failures == [("descripton", "Space has no property 'descripton' (the closest is description)")]


@pytest.mark.parametrize(
    ("type_name", "key"),
    [
        ("Group", {"tenant", "name", "provider_type"}),
        ("Space", {"tenant", "name"}),
        ("SpaceAssignment", {"tenant", "space", "assignee"}),
        ("AppPublication", {"tenant", "space", "name"}),
    ],
)
def test_a_replacement_that_keeps_its_natural_key_deletes_first(type_name: str, key: set[str]) -> None:
    """Otherwise `create` would find the old object and return its id, and the engine would then delete it."""
    have = SAMPLES[type_name]
    provider = provider_of(type_name)
    for prop in resource_types()[type_name].inputs():
        result = provider.diff("id", have, have | {prop.name: UNKNOWN})
        assert bool(result.delete_before_replace) == (prop.name not in key), prop.name
    assert provider.diff("id", have, have).delete_before_replace


def test_a_new_version_of_an_app_is_created_before_the_old_one_is_deleted() -> None:
    """The two versions have different marks, so they never collide. With an unchanged mark they would."""
    have = SAMPLES["App"]
    diff = provider_of("App").diff
    assert not diff("id", have, have | {"version": "2.4.0"}).delete_before_replace
    assert diff("id", have, have | {"space": UNKNOWN}).delete_before_replace


@every_resource_type
def test_outputs_and_the_provider_string_make_no_difference(type_name: str) -> None:
    properties = resource_types()[type_name].properties.values()
    outputs = {prop.name: "output" for prop in properties if prop.computed and prop.at_qlik}
    have = SAMPLES[type_name]
    result = provider_of(type_name).diff("id", have | outputs | {PROVIDER_KEY: "p"}, have)
    assert (result.changes, result.replaces) == (None, [])


def test_checks_import_neither_pydantic_nor_requests() -> None:
    """These imports would slow down every run. Only a value that may be invalid needs pydantic."""
    program = """
import sys
from tests.providers.samples import SAMPLES
from tenantry.providers import resource_types
from tenantry.providers.framework.adapter import Provider
for name, resource_type in resource_types().items():
    provider, inputs = Provider(resource_type.module()), SAMPLES[name]
    assert provider.check(inputs, inputs).inputs == inputs
    provider.diff("id", inputs, inputs)
    assert not provider.check({}, {key: inputs[key] for key in inputs if key != "revive"}).failures
heavy = {"pydantic", "requests", "urllib3"} & sys.modules.keys()
assert not heavy, heavy
assert provider.check({}, inputs | {"tenant": 1}).failures
assert "pydantic" in sys.modules
"""
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


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
    """Emulate a Qlik Cloud with one space and one tenant that accepts every change."""

    def respond(call: Call) -> Reply:
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

    network = MockTransport(respond)
    cloud = Cloud(ENVIRONMENT, adapter=network, clock=FakeClock())
    monkeypatch.setattr(adapter, "_cloud", lambda: cloud)
    return network


def requests_of(network: MockTransport) -> list[tuple[str, Any]]:
    """Return the method and JSON of each request, without token requests."""
    calls = [call for call in network.calls if call.path != "/oauth/token"]
    return [(call.method, call.json if call.body else None) for call in calls]


WANT = {"tenant": TENANT, "name": "Sales", "type": "managed", "description": ""}
KEY = {PROVIDER_KEY: provider_string("space")}


def test_create_and_update_return_all_outputs(network: MockTransport) -> None:
    """The engine would erase a missing output from the state."""
    provider = provider_of("Space")
    result = provider.create(WANT | KEY)
    assert (result.id, result.outs) == ("s1", WANT | {"owner_id": "u1"})
    want = WANT | {"name": "Revenue"}
    assert result.outs is not None
    assert provider.update("s1", result.outs | KEY, want | KEY).outs == want | {"owner_id": "u1"}
    patch = [{"op": "replace", "path": "/name", "value": "Revenue"}]
    assert requests_of(network) == [
        ("POST", {"name": "Sales", "type": "managed", "description": ""}),
        ("PATCH", patch),
    ]


def test_read_returns_the_live_values_also_as_inputs(network: MockTransport) -> None:
    """A refresh can then show which property differs, and how."""
    state = WANT | KEY | {"description": "Ours", "owner_id": "u0", "adopt": True}
    result = provider_of("Space").read("s1", state)
    assert result.id == "s1"
    assert result.outs == WANT | {"owner_id": "u1", "adopt": True}
    assert result.inputs == WANT | {"adopt": True}


@pytest.mark.usefixtures("network")
def test_an_unset_property_is_not_read() -> None:
    """It is not an input, so its value at Qlik is not drift."""
    have = {"region": "eu", "source_tenant": "s", "name": "Globex", "status": "active", "grace_days": 30}
    managed = have | {"enable_app_opening_feedback": False}
    outputs = {"tenant_id": "t1", "hostname": TENANT}
    result = provider_of("Tenant").read(TENANT, managed | outputs)
    assert result.inputs == have | {"enable_app_opening_feedback": True}
    assert result.outs == result.inputs | outputs


def test_an_unset_property_is_not_sent(network: MockTransport) -> None:
    """Qlik's value stays, even if the property was set before."""
    have = SAMPLES["Tenant"] | {"tenant_id": "t1", "hostname": TENANT, PROVIDER_KEY: "p"}
    want = {name: have[name] for name in ("region", "source_tenant", "status", "grace_days")}
    provider_of("Tenant").update(TENANT, have, want | {"name": "Globex Ltd", PROVIDER_KEY: "p"})
    assert requests_of(network) == [("PATCH", [{"op": "replace", "path": "/name", "value": "Globex Ltd"}])]


def test_an_unset_property_of_an_unfinished_object_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would count as managed from then on, and Qlik's value would be a difference."""
    recorded: list[dict[str, Any]] = []

    def create(_cloud: Cloud, want: dict[str, Any]) -> None:
        live = {"name": "x1y2z3", "enable_app_opening_feedback": True, "tenant_id": "t1"}
        raise Unfinished(TENANT, want | live, Exception("no"))

    def record(_id: str, outs: dict[str, Any], _message: str) -> Exception:
        recorded.append(outs)
        return Exception("recorded")

    monkeypatch.setattr(provider_of("Tenant").handler, "create", create)
    monkeypatch.setattr(engine, "partial_failure", record)
    with pytest.raises(Exception, match="recorded"):
        provider_of("Tenant").create({"region": "eu", "name": "Globex", PROVIDER_KEY: "p"})
    assert recorded == [{"region": "eu", "name": "x1y2z3", "tenant_id": "t1", PROVIDER_KEY: "p"}]


def test_an_unknown_value_always_differs() -> None:
    """Its value is not known yet, also inside a list."""
    assert isinstance(UNKNOWN, Unknown)
    assert adapter.differs(["a", UNKNOWN], ["a", UNKNOWN])
    assert adapter.differs("a", UNKNOWN)
    assert not adapter.differs(["a"], ["a"])
