"""The comparison of stacks with their states without the engine agrees with the engine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import tenantry.providers
from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Outcome
from tenantry.fleet.unchanged.lookup import Verdict, compare
from tenantry.providers.framework.properties import Change
from tests.e2e.customers import changed, everything
from tests.e2e.fleet import Fleet, copied

FIRST = "first"
NO_ENV: Mapping[str, str] = {}
KEY = "tenantry:customer"

Customer = dict[str, Any]
Latest = dict[str, Any]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A project with one customer that has every resource type, created by the engine.

    Its OAuth client has no secret: test_unchanged_secrets.py tests stacks with secrets.
    """
    with Emulator() as qlik:
        made = Fleet(tmp_path_factory.mktemp("unchanged"), qlik)
        customer = everything()
        clients = customer["oauth_clients"]
        customer["oauth_clients"] = {
            key: client for key, client in clients.items() if client["app_type"] != "web"
        }
        made.write(FIRST, customer)
        made.run("up", "--all", "--yes", "--skip-preview")
        yield made


def verdict(fleet: Fleet, stack: str, *, preview: bool = True, more: Mapping[str, str] = NO_ENV) -> Verdict:
    """Return the verdict of the comparison; `more` is added to the environment."""
    environment = {**os.environ, **fleet.env, **more}
    return compare(fleet.project, stack, fleet.file(stack), environment, preview=preview)


def of_file(*changes: tuple[str, Any]) -> Callable[[Path, Path], None]:
    """Return a function that changes the customer in the stack file."""

    def change(file: Path, _state: Path) -> None:
        written = yaml.safe_load(file.read_text("utf-8"))
        written["config"][KEY] = changed(written["config"][KEY], *changes)
        file.write_text(yaml.safe_dump(written, sort_keys=False), "utf-8")

    return change


def without(path: str) -> Callable[[Path, Path], None]:
    """Return a function that removes one entry of the customer."""

    def change(file: Path, _state: Path) -> None:
        written = yaml.safe_load(file.read_text("utf-8"))
        *blocks, key = path.split("/")
        inner = written["config"][KEY]
        for block in blocks:
            inner = inner[block]
        del inner[key]
        file.write_text(yaml.safe_dump(written, sort_keys=False), "utf-8")

    return change


def of_text(edit: Callable[[str], str]) -> Callable[[Path, Path], None]:
    """Return a function that changes the text of the stack file."""

    def change(file: Path, _state: Path) -> None:
        file.write_text(edit(file.read_text("utf-8")), "utf-8")

    return change


def of_state(edit: Callable[[Latest], None]) -> Callable[[Path, Path], None]:
    """Return a function that changes the state."""

    def change(_file: Path, state: Path) -> None:
        read = json.loads(state.read_text("utf-8"))
        edit(read["checkpoint"]["latest"])
        state.write_text(json.dumps(read), "utf-8")

    return change


def resource(latest: Latest, end: str) -> dict[str, Any]:
    """Return the resource in a state whose URN has this end."""
    (found,) = (entry for entry in latest["resources"] if entry["urn"].endswith(end))
    entry: dict[str, Any] = found
    return entry


def with_renamed(latest: Latest, old: str, new: str) -> None:
    """Replace the URN of a resource everywhere in a state."""
    text = json.dumps(latest["resources"])
    latest["resources"] = json.loads(text.replace(old, new))


def reversed_keys(text: str) -> str:
    written = yaml.safe_load(text)
    customer = written["config"][KEY]
    written["config"][KEY] = {key: customer[key] for key in reversed(customer)}
    return "# a comment\n" + yaml.safe_dump(written, sort_keys=False)


def dated(file: Path, state: Path) -> None:
    """Write the last day without quotes, in the file and in the engine's copy of the configuration."""
    file.write_text(file.read_text("utf-8").replace("'2999-12-31'", "2999-12-31"), "utf-8")
    text = state.read_text("utf-8")
    state.write_text(text.replace(r"\"2999-12-31\"", r"\"2999-12-31 00:00:00 +0000 UTC\""), "utf-8")


def cut_off(_file: Path, state: Path) -> None:
    """Truncate a state."""
    state.write_text(state.read_text("utf-8")[:-9], "utf-8")


SAME: dict[str, Callable[[Path, Path], None]] = {
    "as-it-was": lambda _file, _state: None,
    "keys-in-another-order": of_text(reversed_keys),
    "a-date-without-quotes": dated,
    "a-former-key-of-what-has-moved": of_state(
        lambda latest: resource(latest, "Space::Sales").update(aliases=["urn:pulumi:x::y::z::Old"])
    ),
}
"""Changes without effect, for the engine and for the comparison."""

OTHER: dict[str, Callable[[Path, Path], None]] = {
    "name": of_file(("name", "Globex II")),
    "new-group": of_file(("groups/More", {"roles": ["AnalyticsAdmin"]})),
    "no-group": without("groups/Partners"),
    "renamed-group": of_file(("groups/Partners/description", "Others")),
    "version": of_file(("apps/Sales Overview/version", "2.4.0")),
    "access": of_file(("spaces/Sales/access/Analysts", ["consumer"])),
    "protected": of_file(("lifecycle", {"kind": "production", "grace_days": 10})),
    "protected-space": of_file(("spaces/Sales/protect", True)),
    "settings": of_file(("group_settings/auto_create_groups", False)),
    "no-settings": without("license_settings"),
    "unknown-key": of_file(("grops", {})),
    "not-yaml": of_text(lambda text: text + "\n: {"),
    "no-salt": of_text(lambda text: "\n".join(x for x in text.splitlines() if "salt" not in x)),
    "other-region": of_text(lambda text: text.replace("region: eu", "region: us")),
    "more-configuration": of_text(lambda text: text.replace("config:", "config:\n  tenantry:more: x")),
    "pending": of_state(
        lambda latest: latest.update(
            pending_operations=[{"resource": resource(latest, "Space::Sales"), "type": "updating"}]
        )
    ),
    "failed-before": of_state(
        lambda latest: resource(latest, "Space::Sales").update(initErrors=["not finished"])
    ),
    "to-be-deleted": of_state(lambda latest: resource(latest, "Group::Partners").update(delete=True)),
    "protected-in-the-state": of_state(lambda latest: resource(latest, "Space::Sales").update(protect=True)),
    "renamed-in-the-state": of_state(lambda latest: with_renamed(latest, "Group::Partners", "Group::Others")),
    "tainted": of_state(lambda latest: resource(latest, "Group::Partners").update(taint=True)),
    "postponed": of_state(
        lambda latest: resource(latest, "Space::Sales")["outputs"].update(postponed=["name"])
    ),
    "other-output": of_state(lambda latest: latest["resources"][0]["outputs"].update(url="https://other")),
    "newer-format": of_state(
        lambda latest: resource(latest, "Space::Sales")["outputs"].update(
            __provider="gASVKQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBXNwYWNllEsChpRSlC4="
        )
    ),
    "other-configuration": of_state(
        lambda latest: latest["resources"][2]["inputs"].update({"qlik:region": "us"})
    ),
    "not-after-its-parent": of_state(lambda latest: latest["resources"].reverse()),
    "other-magic": of_state(lambda latest: latest["manifest"].update(magic="0" * 64)),
    "half-a-state": cut_off,
}
"""Possible changes or failures."""

ALSO_SHOWN = ("version", "protected-space", "pending", "tainted", "half-a-state")
"""Entries of OTHER that a run must report in the same way with and without the comparison."""


def test_the_comparison_agrees_with_the_engine(fleet: Fleet) -> None:
    """Both check copies of one stack, each with one change."""
    for name, change in {**SAME, **OTHER}.items():
        change(*copied(fleet, FIRST, name))
    stacks = sorted({**SAME, **OTHER})
    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(stacks, pool.map(lambda name: verdict(fleet, name), stacks), strict=True))
    assert {name for name, outcome in found.items() if outcome.same is not None} == SAME.keys(), found

    shown = [*SAME, *ALSO_SHOWN]
    ours = fleet.run("preview", *shown, "--json", expect=None)
    engines = fleet.run("preview", *shown, "--json", "--engine", expect=None)
    assert [_comparable(outcome) for outcome in ours.report.outcomes] == [
        _comparable(outcome) for outcome in engines.report.outcomes
    ]
    for name in SAME:
        assert not engines.outcomes[name].changes
        assert engines.outcomes[name].same == found[name].same
    assert ours.requests == engines.requests == []


def _comparable(outcome: Outcome) -> Outcome:
    """Return the outcome in a report without data of the run: seconds, and the place of logs."""
    troubles = tuple(replace(trouble, details="") for trouble in outcome.troubles)
    return replace(outcome, seconds=0, logs="", troubles=troubles)


def test_every_property_counts(fleet: Fleet) -> None:
    """Any new value of an input, and any new reference, goes to the engine."""
    (state,) = Path(fleet.folder).glob(f"pulumi/state/.pulumi/stacks/*/{FIRST}.json")
    latest = json.loads(state.read_text("utf-8"))["checkpoint"]["latest"]
    cases: list[tuple[int, str, str]] = []
    for number, held in enumerate(latest["resources"]):
        cases += [(number, "inputs", name) for name in held.get("inputs") or {}]
        cases += [(number, "", name) for name in ("dependencies", "deletedWith") if held.get(name)]
        cases += [(number, "", "propertyDependencies")] if "propertyDependencies" in held else []
        if not held["custom"]:
            cases += [(number, "outputs", name) for name in held["outputs"]]
    assert len(cases) > 150

    def spoiled(case: int) -> Verdict:
        number, part, name = cases[case]
        stack = f"case-{case}"
        file, its_state = copied(fleet, FIRST, stack)
        of_state(lambda latest: _spoil(latest["resources"][number], part, name))(file, its_state)
        return verdict(fleet, stack)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(spoiled, range(len(cases))))
    same = {cases[case] for case, finding in enumerate(found) if finding.same is not None}
    print(sorted(same))
    assert same == {
        (number, part, name)
        for number, part, name in cases
        if part == "inputs" and _is_of_creation(latest["resources"][number]["type"], name)
    }
    for case in range(len(cases)):
        fleet.file(f"case-{case}").unlink()


def _is_of_creation(kind: str, name: str) -> bool:
    """Tell whether a property matters only at creation, so that a new value is not a change."""
    found = tenantry.providers.resource_types().get(kind.rpartition(":")[2])
    return bool(found and name in found.properties and found.properties[name].change is Change.AT_CREATION)


def _spoil(held: dict[str, Any], part: str, name: str) -> None:
    """Replace a value by another one of the same type, if possible."""
    values = held[part] if part else held
    value = values[name]
    if isinstance(value, bool):
        values[name] = not value
    elif isinstance(value, int):
        values[name] = value + 1
    elif isinstance(value, str):
        values[name] = f"{value}x"
    elif isinstance(value, list):
        values[name] = value[1:] if value else ["x"]
    elif value:
        del value[next(iter(value))]
    else:
        values[name] = {"x": "x"}


def test_an_up_of_an_unchanged_stack_starts_no_engine(fleet: Fleet) -> None:
    file, state = copied(fleet, FIRST, "still")
    before = state.read_bytes(), file.read_bytes()
    assert verdict(fleet, "still", preview=False).same
    done = fleet.run("up", "still", "--yes", "--json")
    assert (done.outcomes["still"].status, done.outcomes["still"].changes) == ("ok", ())
    assert done.requests == []
    assert (state.read_bytes(), file.read_bytes()) == before
    assert not list(state.parents[2].glob("history/*/still/*")), "the engine recorded no run"
    again = fleet.run("up", "still", "--yes", "--json", "--engine")
    assert list(state.parents[2].glob("history/*/still/*")), "with --engine, it records a run"
    assert replace(again.outcomes["still"], seconds=0) == replace(done.outcomes["still"], seconds=0)


def test_a_stack_in_doubtful_surroundings_goes_to_the_engine(fleet: Fleet) -> None:
    """A lock, Pulumi.yaml, the environment, a custom program."""
    _, state = copied(fleet, FIRST, "around")
    assert verdict(fleet, "around").same

    lock = state.parents[2] / "locks" / "organization" / state.parent.name / "around" / "1.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    assert verdict(fleet, "around").same, "a preview takes no lock"
    assert "locked" in verdict(fleet, "around", preview=False).reason
    lock.unlink()

    for variable in ("PULUMI_PYTHON_CMD", "PULUMI_OPTION_REFRESH"):
        assert variable in verdict(fleet, "around", more={variable: "true"}).reason
    settings = fleet.project / "Pulumi.yaml"
    text = settings.read_text("utf-8")
    settings.write_text(text + "options:\n  refresh: always\n", "utf-8")
    assert "Pulumi.yaml" in verdict(fleet, "around").reason
    for required in (">=99.0.0", ">=3.254.0 <4.0.0"):
        settings.write_text(text.replace(">=3.254.0", required), "utf-8")
        assert "requiredPulumiVersion" in verdict(fleet, "around").reason
    settings.write_text(text, "utf-8")

    other = fleet.folder / "other"
    shutil.copytree(fleet.project, other)
    (other / "yaml.py").touch()
    looked = compare(other, "around", fleet.file("around"), {**os.environ, **fleet.env}, preview=True)
    assert "modules" in looked.reason

    program = fleet.project / "__main__.py"
    ours = program.read_text("utf-8")
    program.unlink()
    for more, why in {
        "print('said')": "prints something",
        "pulumi.log.warn('careful')": "careful",
        "pulumi.export('more', 1)": "outputs",
        "pulumi.ComponentResource('a:b:C', 'more')": "new",
        "pulumi.runtime.invoke('a:b:c', {})": "calls Invoke",
        "pulumi.StackReference('organization/other/stack')": "calls ReadResource",
        "raise SystemExit(3)": "SystemExit",
        "1 / 0": "ZeroDivisionError",
        "import sys; sys.stderr.write('said')": "prints something",
    }.items():
        program.write_text(f"{ours}\n{more}\n", "utf-8")
        found = verdict(fleet, "around")
        assert found.same is None, more
        assert why in found.reason, found
    program.write_text(f"{ours}\nif not pulumi.runtime.is_dry_run():\n    print('made')\n", "utf-8")
    assert verdict(fleet, "around").same
    assert verdict(fleet, "around", preview=False).same is None
    program.write_text(ours, "utf-8")
    assert verdict(fleet, "around").same
