"""What holds for every kind of resource: each has a twin that states its `CASE`, and these tests try it."""

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
"""By module. A kind without a twin is an error here."""


every_kind = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
kinds_that = {
    "can be gone": [case for case in CASES.values() if case.remove],
    "can be there already": [case for case in CASES.values() if case.create_existing],
}


def pairs(what: str) -> list[Any]:
    """Each kind with each of its properties that changes, replaces or drifts."""
    return [
        pytest.param(case, name, id=f"{case.module}-{name}")
        for case in CASES.values()
        for name in getattr(case, what)
    ]


@every_kind
def test_no_property_is_left_out(case: Case) -> None:
    """A new property has a test of what a change of it means, and of drift where Qlik holds it."""
    kind = {each.module(): each for each in resource_types().values()}[case.module]
    declared = {change: {each.name for each in kind.inputs() if each.change is change} for change in Change}
    unseen = declared[Change.UNSEEN]
    in_place = {name for name, change in case.changes.items() if change.calls} - unseen
    assert unseen <= case.changes.keys()
    assert in_place | set(case.immutable) == declared[Change.IN_PLACE] | declared[Change.REFUSED]
    assert set(case.replaces) | {"tenant"} == declared[Change.REPLACES] | {"tenant"}
    assert set(case.changes) - in_place - unseen == declared[Change.NO_REQUEST]
    assert set(case.drifts) - set(case.immutable) == in_place


@every_kind
def test_what_cannot_be_set_is_told(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """What Qlik alone sets, and what there is not; nothing that a program writes is dropped in silence."""
    made = driver(case.module)
    inputs = case.inputs_for(tenancy)
    for each in made.kind.properties.values():
        if each.computed:
            with pytest.raises(AssertionError, match=f"^{each.name}: only Qlik can set this property"):
                made.check({**inputs, each.name: "x"})
    with pytest.raises(AssertionError, match=f"^tennant: {made.kind.__name__} has no property 'tennant'"):
        made.check({**inputs, "tennant": "x"})
    made.create(inputs)
    with pytest.raises(AssertionError, match="has no property 'tennant'"):
        made.check({**inputs, "tennant": "x"})


@every_kind
def test_create_makes_what_is_wanted(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik holds exactly what was given, after as few requests as there can be; reading it finds no drift."""
    inputs = case.inputs_for(tenancy)
    tenancy.requests()
    made = driver(case.module).create(inputs)
    assert same(tenancy.requests(), case.creates, made)
    held = case.remote(tenancy, made.id)
    assert held is not None
    assert held == {name: inputs[name] for name in held}
    assert made.drift() == {}
    tenancy.requests()
    made.update(inputs)
    assert same(tenancy.requests(), case.resumes, made)


@pytest.mark.parametrize(("case", "name"), pairs("changes"))
def test_a_property_changes_in_place(case: Case, name: str, driver: MakeDriver, tenancy: Tenancy) -> None:
    """That property and no other, with no more requests than that takes."""
    inputs = case.inputs_for(tenancy)
    made = driver(case.module).create(inputs)
    before = case.remote(tenancy, made.id) or {}
    wanted = {**inputs, name: resolve(tenancy, case.changes[name].value)}
    tenancy.requests()
    assert made.diff(wanted) == []
    made.update(wanted)
    assert same(tenancy.requests(), case.changes[name].calls, made)
    after = {**before, name: wanted[name]} if name in before else before
    assert case.remote(tenancy, made.id) == after
    assert made.drift() == {}


@pytest.mark.parametrize(("case", "name"), pairs("replaces"))
def test_a_property_that_cannot_change_replaces(
    case: Case, name: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """And the plan says so."""
    made = driver(case.module).create(case.inputs_for(tenancy))
    wanted = {**made.inputs, name: resolve(tenancy, case.replaces[name])}
    wanted = {key: value for key, value in wanted.items() if key not in case.incompatible.get(name, ())}
    assert set(made.diff(wanted)) - set(case.incompatible.get(name, ())) == {name}


@every_kind
def test_another_tenant_is_another_object(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """Nothing moves from one tenant to another."""
    made = driver(case.module).create(case.inputs_for(tenancy))
    if "tenant" in made.inputs:
        assert made.diff({**made.inputs, "tenant": "other.eu.qlikcloud.com"}) == ["tenant"]


@pytest.mark.parametrize(("case", "name"), pairs("drifts"))
def test_drift_is_found_and_put_right(case: Case, name: str, driver: MakeDriver, tenancy: Tenancy) -> None:
    """A refresh names exactly the property that somebody changed; an update restores it."""
    made = driver(case.module).create(case.inputs_for(tenancy))
    before = case.remote(tenancy, made.id)
    drift = case.drifts[name]
    drift.do(tenancy, made.id)
    assert made.drift() == {name: resolve(tenancy, drift.live)}
    made.update(made.inputs)
    assert case.remote(tenancy, made.id) == before
    assert made.drift() == {}


TEXTS = {
    "blanks at the end": "Who builds \n\n",
    "blanks around": " \u00a0 Who builds\t",
    "lines of Windows": "Who\r\nbuilds\r\n",
    "blanks at the end of a line": "Who  \nbuilds\n",
    "one character": "Caf\u00e9 in Z\u00fcrich",
    "two characters": "Cafe\u0301 in Zu\u0308rich",
}
"""As people write them, and YAML's `|` hands them over."""

FORMS: dict[str, Callable[[str], str]] = {
    "as it was": lambda text: text,
    "without blanks around": str.strip,
    "NFC, lines of Unix": lambda text: unicodedata.normalize("NFC", "\n".join(text.splitlines())),
    "NFD, lines of Windows": lambda text: unicodedata.normalize("NFD", "\r\n".join(text.splitlines())),
}
"""What may become of a text at Qlik, which does not say."""


def _texts() -> list[Any]:
    """Each property of each kind that holds any text."""
    found = []
    for kind in resource_types().values():
        case = CASES[kind.module()]
        for each in kind.inputs():
            free = each.type is str and not each.reference and not each.form and each.at_qlik
            if free and "pattern" not in each.limits.field:
                found.append(pytest.param(case, each.name, id=f"{case.module}-{each.name}"))
    return found


@pytest.mark.parametrize(("case", "name"), _texts())
def test_what_qlik_makes_of_a_text_is_no_drift(
    case: Case, name: str, driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is; but another letter is."""
    made = driver(case.module)
    live: dict[str, str] = {}
    monkeypatch.setattr(type(made.provider.handler), "read", lambda *_: dict(live))
    made.id, inputs = "x1", case.inputs_for(tenancy)
    for text in TEXTS.values():
        made.state = made.inputs = inputs | {name: text}
        for form in FORMS.values():
            live[name] = form(text)
            assert made.drift() == {}
            assert made.state[name] == text
        live[name] = f"{text.strip()}!"
        assert made.drift() == live


@pytest.mark.parametrize(
    "module", [module for module, case in CASES.items() if "description" in case.changes]
)
def test_a_description_of_several_lines_is_no_drift(
    module: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Neither after it was made, nor after it was changed; with what we add to it ourselves."""
    inputs = CASES[module].inputs_for(tenancy)
    made = driver(module).create(inputs | {"description": "As YAML's | has it:\n\n- one  \n- two\n"})
    assert made.drift() == {}
    for text in TEXTS.values():
        made.update(inputs | {"description": text})
        assert made.drift() == {}


@every_kind
def test_delete_removes_it_once(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """With the requests that this takes; a second time does no harm."""
    made = driver(case.module).create(case.inputs_for(tenancy))
    tenancy.requests()
    made.delete()
    assert same(tenancy.requests(), case.deletes, made)
    assert (case.remote(tenancy, made.id) is None) is not case.is_state_only
    made.delete()
    assert (case.remote(tenancy, made.id) is None) is not case.is_state_only


@pytest.mark.parametrize("not_found", ["published", "bare", "other"])
@pytest.mark.parametrize("case", kinds_that["can be gone"], ids=str)
def test_what_is_gone_is_reported_as_gone(
    case: Case, driver: MakeDriver, tenancy: Tenancy, not_found: str
) -> None:
    """A refresh drops it from the state, and a deletion has nothing to do, however Qlik words its 404."""
    tenancy.qlik.control.settings(not_found=not_found)
    made = driver(case.module).create(case.inputs_for(tenancy))
    assert case.remove
    case.remove(tenancy, made.id)
    made.delete()
    assert made.drift() is None


@pytest.mark.parametrize("case", kinds_that["can be gone"], ids=str)
def test_a_page_that_says_404_proves_nothing(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """While an ingress answers in Qlik's place nothing leaves the state, and no deletion counts as done."""
    made = driver(case.module).create(case.inputs_for(tenancy))
    before = case.remote(tenancy, made.id)
    fault = tenancy.qlik.control.add_fault(
        host=tenancy.hostname, path=f"*{made.id.rpartition('/')[2]}", status=404, body="default backend - 404"
    )
    for step in (made.drift, made.delete):
        with pytest.raises(Failure, match="does not prove that"):
            step()
    tenancy.qlik.control.release(fault)
    assert case.remote(tenancy, made.id) == before
    assert made.drift() == {}
    fault = tenancy.qlik.control.add_fault(
        host=tenancy.hostname, path="*", times=1, status=404, body="default backend - 404"
    )
    assert made.drift() == {}, "one that passes is asked about once more"
    tenancy.qlik.control.release(fault)


@pytest.mark.parametrize("case", kinds_that["can be there already"], ids=str)
def test_what_our_bot_made_is_taken_over(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """No second one is made, what differs is put right, and both are said."""
    inputs = case.inputs_for(tenancy)
    assert case.create_existing
    there = case.create_existing(tenancy, inputs, tenancy.as_bot)
    made = driver(case.module).create(inputs)
    assert made.id == there
    assert_as_wanted(case, made, tenancy)
    assert_said(tenancy, there, case.corrected)


@pytest.mark.parametrize("case", kinds_that["can be there already"], ids=str)
def test_what_somebody_else_made_is_left_alone(case: Case, driver: MakeDriver, tenancy: Tenancy) -> None:
    """The error names its id and the way out; with `adopt: true` it is taken over."""
    inputs = case.inputs_for(tenancy)
    assert case.create_existing
    there = case.create_existing(tenancy, inputs, tenancy.world.request)
    before = case.remote(tenancy, there)
    with pytest.raises(Failure) as caught:
        driver(case.module).create(inputs)
    for words in (there, tenancy.hostname, "adopt: true"):
        assert words in str(caught.value)
    assert case.remote(tenancy, there) == before

    made = driver(case.module).create({**inputs, "adopt": True})
    assert made.id == there
    assert_as_wanted(case, made, tenancy)
    assert_said(tenancy, there, case.corrected)
    assert made.check({**inputs, "adopt": False}) == made.inputs, "taken over once, it makes no difference"


def assert_as_wanted(case: Case, made: ResourceDriver, tenancy: Tenancy) -> None:
    held = case.remote(tenancy, made.id) or {}
    assert held == {name: made.inputs[name] for name in held}
    assert made.drift() == {}


def assert_said(tenancy: Tenancy, id: str, corrected: frozenset[str]) -> None:
    line = next(line for line in tenancy.messages if "already exists" in line)
    assert id in line
    said = line.partition("corrected: ")[2]
    assert set(said.split(", ")) == corrected


def same(found: list[str], expected: tuple[str, ...], made: ResourceDriver) -> bool:
    print("sent:", *found, sep="\n  ")
    names = {**made.state, **made.inputs, "id": made.id}
    return same_calls(found, expected, **names)
