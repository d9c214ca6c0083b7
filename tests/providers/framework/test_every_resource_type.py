"""Tests that run for every resource type, with the `CASE` of its test module."""

from __future__ import annotations

import importlib
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from tenantry.providers import MODULES, resource_types
from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.properties import Change
from tests.providers.resource_driver import Case, MakeDriver, ResourceDriver, Tenancy, resolve, same_calls

CASES: dict[str, Case] = {
    module: importlib.import_module(f"tests.providers.test_{module}").CASE for module in MODULES.values()
}
"""By module. The import fails if a resource type has no test module or no `CASE`."""

every_resource_type = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
removable = [case for case in CASES.values() if case.remove]
"""The resource types whose object somebody else can remove."""

adoptable = [case for case in CASES.values() if case.create_existing]
"""The resource types whose object can exist before `create`."""


def properties_in(mapping: str) -> list[Any]:
    """Return a parameter set for each property in one mapping of the cases, for example `changes`."""
    return [
        pytest.param(case, name, id=f"{case.module}-{name}")
        for case in CASES.values()
        for name in getattr(case, mapping)
    ]


@every_resource_type
def test_the_case_covers_every_property(case: Case) -> None:
    """A new property needs a test of its changes, and of drift if Qlik holds it."""
    resource_type = {cls.module(): cls for cls in resource_types().values()}[case.module]
    declared = {
        change: {prop.name for prop in resource_type.inputs() if prop.change is change} for change in Change
    }
    unseen = declared[Change.UNSEEN]
    in_place = {name for name, change in case.changes.items() if change.calls} - unseen
    assert unseen <= case.changes.keys()
    assert in_place | set(case.immutable) == declared[Change.IN_PLACE] | declared[Change.REFUSED]
    assert set(case.replaces) | {"tenant"} == declared[Change.REPLACES] | {"tenant"}
    assert set(case.changes) - in_place - unseen == declared[Change.NO_REQUEST]
    assert set(case.drifts) - set(case.immutable) == in_place


@every_resource_type
def test_properties_that_cannot_be_set_are_refused(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """A computed property and a misspelt name are errors. Neither is silently ignored."""
    resource = driver(case.module)
    inputs = case.inputs_for(tenancy)
    for prop in resource.resource_type.properties.values():
        if prop.computed:
            with pytest.raises(AssertionError, match=f"^{prop.name}: only Qlik can set this property"):
                resource.check({**inputs, prop.name: "x"})
    with pytest.raises(
        AssertionError, match=f"^tennant: {resource.resource_type.__name__} has no property 'tennant'"
    ):
        resource.check({**inputs, "tennant": "x"})
    resource.create(inputs)
    with pytest.raises(AssertionError, match="has no property 'tennant'"):
        resource.check({**inputs, "tennant": "x"})


@every_resource_type
def test_create_sets_every_property(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik then holds exactly the inputs. No request is unnecessary, and a refresh finds no drift."""
    inputs = case.inputs_for(tenancy)
    tenancy.requests()
    resource = driver(case.module).create(inputs)
    assert same(tenancy.requests(), case.creates, resource)
    remote = case.remote(tenancy, resource.id)
    assert remote is not None
    assert remote == {name: inputs[name] for name in remote}
    assert resource.drift() == {}
    tenancy.requests()
    resource.update(inputs)
    assert same(tenancy.requests(), case.resumes, resource)


@pytest.mark.parametrize(("case", "name"), properties_in("changes"))
def test_a_property_changes_in_place(case: Case, name: str, driver: MakeDriver, tenancy: Tenancy) -> None:
    """The update changes no other property and takes no unnecessary request."""
    inputs = case.inputs_for(tenancy)
    resource = driver(case.module).create(inputs)
    before = case.remote(tenancy, resource.id) or {}
    changed = {**inputs, name: resolve(tenancy, case.changes[name].value)}
    tenancy.requests()
    assert resource.diff(changed) == []
    resource.update(changed)
    assert same(tenancy.requests(), case.changes[name].calls, resource)
    after = {**before, name: changed[name]} if name in before else before
    assert case.remote(tenancy, resource.id) == after
    assert resource.drift() == {}


@pytest.mark.parametrize(("case", "name"), properties_in("replaces"))
def test_a_property_that_cannot_change_in_place_replaces_the_resource(
    case: Case, name: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    resource = driver(case.module).create(case.inputs_for(tenancy))
    changed = {**resource.inputs, name: resolve(tenancy, case.replaces[name])}
    changed = {key: value for key, value in changed.items() if key not in case.incompatible.get(name, ())}
    assert set(resource.diff(changed)) - set(case.incompatible.get(name, ())) == {name}


@every_resource_type
def test_a_new_tenant_replaces_the_resource(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """Objects cannot move from one tenant to another."""
    resource = driver(case.module).create(case.inputs_for(tenancy))
    if "tenant" in resource.inputs:
        assert resource.diff({**resource.inputs, "tenant": "other.eu.qlikcloud.com"}) == ["tenant"]


@pytest.mark.parametrize(("case", "name"), properties_in("drifts"))
def test_drift_is_found_and_corrected(case: Case, name: str, driver: MakeDriver, tenancy: Tenancy) -> None:
    """A refresh names exactly the property that somebody changed, and an update restores it."""
    resource = driver(case.module).create(case.inputs_for(tenancy))
    before = case.remote(tenancy, resource.id)
    drift = case.drifts[name]
    drift.do(tenancy, resource.id)
    assert resource.drift() == {name: resolve(tenancy, drift.live)}
    resource.update(resource.inputs)
    assert case.remote(tenancy, resource.id) == before
    assert resource.drift() == {}


TEXTS = {
    "blanks at the end": "Who builds \n\n",
    "blanks around": " \u00a0 Who builds\t",
    "Windows line endings": "Who\r\nbuilds\r\n",
    "blanks at the end of a line": "Who  \nbuilds\n",
    "one character": "Caf\u00e9 in Z\u00fcrich",
    "two characters": "Cafe\u0301 in Zu\u0308rich",
}
"""Texts as people write them, or as YAML's `|` returns them."""

FORMS: dict[str, Callable[[str], str]] = {
    "unchanged": lambda text: text,
    "without blanks around": str.strip,
    "NFC, Unix line endings": lambda text: unicodedata.normalize("NFC", "\n".join(text.splitlines())),
    "NFD, Windows line endings": lambda text: unicodedata.normalize("NFD", "\r\n".join(text.splitlines())),
}
"""How Qlik might store a text. Its documentation does not say."""


def _free_text_properties() -> list[Any]:
    """Return a parameter set for each property of each resource type that accepts any text."""
    parameter_sets = []
    for resource_type in resource_types().values():
        case = CASES[resource_type.module()]
        for prop in resource_type.inputs():
            is_text = prop.type is str and not prop.reference and not prop.form and prop.at_qlik
            if is_text and "pattern" not in prop.limits.field:
                parameter_sets.append(pytest.param(case, prop.name, id=f"{case.module}-{prop.name}"))
    return parameter_sets


@pytest.mark.parametrize(("case", "name"), _free_text_properties())
def test_a_text_that_qlik_normalises_is_not_drift(
    case: Case, name: str, driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed letter is drift. Different blanks, line endings or Unicode forms are not."""
    resource = driver(case.module)
    live: dict[str, str] = {}
    monkeypatch.setattr(type(resource.provider.handler), "read", lambda *_: dict(live))
    resource.id, inputs = "x1", case.inputs_for(tenancy)
    for text in TEXTS.values():
        resource.state = resource.inputs = inputs | {name: text}
        for form in FORMS.values():
            live[name] = form(text)
            assert resource.drift() == {}
            assert resource.state[name] == text
        live[name] = f"{text.strip()}!"
        assert resource.drift() == live


@pytest.mark.parametrize(
    "module", [module for module, case in CASES.items() if "description" in case.changes]
)
def test_a_description_of_several_lines_is_not_drift(
    module: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Neither `create` nor `update` causes drift, even if Tenantry adds a mark to the description."""
    inputs = CASES[module].inputs_for(tenancy)
    resource = driver(module).create(inputs | {"description": "From YAML's |:\n\n- one  \n- two\n"})
    assert resource.drift() == {}
    for text in TEXTS.values():
        resource.update(inputs | {"description": text})
        assert resource.drift() == {}


@every_resource_type
def test_a_second_delete_does_nothing(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """The first one takes no unnecessary request."""
    resource = driver(case.module).create(case.inputs_for(tenancy))
    tenancy.requests()
    resource.delete()
    assert same(tenancy.requests(), case.deletes, resource)
    assert (case.remote(tenancy, resource.id) is None) is not case.is_state_only
    resource.delete()
    assert (case.remote(tenancy, resource.id) is None) is not case.is_state_only


@pytest.mark.parametrize("not_found", ["published", "bare", "other"])
@pytest.mark.parametrize("case", removable, ids=str)
def test_a_removed_object_leaves_the_state(
    case: Case, driver: MakeDriver, tenancy: Tenancy, not_found: str
) -> None:
    """A refresh drops it from the state, and `delete` succeeds, whatever body Qlik's 404 has."""
    tenancy.qlik.control.settings(not_found=not_found)
    resource = driver(case.module).create(case.inputs_for(tenancy))
    assert case.remove
    case.remove(tenancy, resource.id)
    resource.delete()
    assert resource.drift() is None


@pytest.mark.parametrize("case", removable, ids=str)
def test_a_404_page_of_a_proxy_proves_nothing(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """While a proxy answers instead of Qlik, nothing leaves the state and no delete succeeds."""
    resource = driver(case.module).create(case.inputs_for(tenancy))
    before = case.remote(tenancy, resource.id)
    fault = tenancy.qlik.control.add_fault(
        host=tenancy.hostname,
        path=f"*{resource.id.rpartition('/')[2]}",
        status=404,
        body="default backend - 404",
    )
    for step in (resource.drift, resource.delete):
        with pytest.raises(Failure, match="does not prove that"):
            step()
    tenancy.qlik.control.release(fault)
    assert case.remote(tenancy, resource.id) == before
    assert resource.drift() == {}
    fault = tenancy.qlik.control.add_fault(
        host=tenancy.hostname, path="*", times=1, status=404, body="default backend - 404"
    )
    assert resource.drift() == {}, "a second request follows after a single 404"
    tenancy.qlik.control.release(fault)


@pytest.mark.parametrize("case", adoptable, ids=str)
def test_an_existing_object_of_our_bot_is_adopted(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """`create` makes no second object, corrects what differs, and says both in a message."""
    inputs = case.inputs_for(tenancy)
    assert case.create_existing
    existing_id = case.create_existing(tenancy, inputs, tenancy.as_bot)
    resource = driver(case.module).create(inputs)
    assert resource.id == existing_id
    assert_matches_inputs(case, resource, tenancy)
    assert_adoption_message(tenancy, existing_id, case.corrected)


@pytest.mark.parametrize("case", adoptable, ids=str)
def test_an_existing_object_of_another_user_is_left_alone(
    case: Case, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """The error names its id and the solution: with `adopt: true`, the object is adopted."""
    inputs = case.inputs_for(tenancy)
    assert case.create_existing
    existing_id = case.create_existing(tenancy, inputs, tenancy.world.request)
    before = case.remote(tenancy, existing_id)
    with pytest.raises(Failure) as caught:
        driver(case.module).create(inputs)
    for words in (existing_id, tenancy.hostname, "adopt: true"):
        assert words in str(caught.value)
    assert case.remote(tenancy, existing_id) == before

    resource = driver(case.module).create({**inputs, "adopt": True})
    assert resource.id == existing_id
    assert_matches_inputs(case, resource, tenancy)
    assert_adoption_message(tenancy, existing_id, case.corrected)
    assert resource.check({**inputs, "adopt": False}) == resource.inputs, "adopt matters only in create"


def assert_matches_inputs(case: Case, resource: ResourceDriver, tenancy: Tenancy) -> None:
    remote = case.remote(tenancy, resource.id) or {}
    assert remote == {name: resource.inputs[name] for name in remote}
    assert resource.drift() == {}


def assert_adoption_message(tenancy: Tenancy, id: str, corrected: frozenset[str]) -> None:
    message = next(message for message in tenancy.messages if "already exists" in message)
    assert id in message
    names = message.partition("corrected: ")[2]
    assert set(names.split(", ")) == corrected


def same(sent: list[str], expected: tuple[str, ...], resource: ResourceDriver) -> bool:
    """Print the requests, and tell whether they match the expected patterns in any order."""
    print("sent:", *sent, sep="\n  ")
    names = {**resource.state, **resource.inputs, "id": resource.id}
    return same_calls(sent, expected, **names)
