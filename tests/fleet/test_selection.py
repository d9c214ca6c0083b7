"""The selection of stacks for a run."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.fleet import changes
from tenantry.fleet.changes import code_digest
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Outcome, Report
from tenantry.fleet.selection import Criteria, Shard, UnknownSelection, times
from tests.archives import write
from tests.fleet.conftest import PLAN, Repository
from tests.keys import public_pem

STACKS = ["acme", "globex", "hooli", "initech"]


@pytest.fixture
def team(repository: Repository) -> Repository:
    """Return a project with four customers and two plans. One plan extends the other."""
    repository.plan()
    repository.plan("gold", {"extends": "standard", "tags": {"tier": "gold"}})
    repository.customer("acme", plan="standard", ring="pilot", tags={"country": "se"})
    repository.customer("globex", plan="gold", ring="early")
    repository.customer("hooli", **PLAN)
    repository.customer("initech", plan="gold", tags={"country": "se"})
    return repository


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"every": True}, STACKS),
    ({"plans": ["standard"]}, ["acme", "globex", "initech"]),
    ({"plans": ["gold"]}, ["globex", "initech"]),
    ({"rings": ["pilot", "early"]}, ["acme", "globex"]),
    ({"tags": {"country": ["se"]}}, ["acme", "initech"]),
    ({"tags": {"country": ["se"], "tier": ["gold"]}}, ["initech"]),
    ({"tags": {"tier": ["gold", "silver"]}}, ["globex", "initech"]),
    ({"tags": {"country": ["no"]}}, []),
    ({"plans": ["gold"], "rings": ["broad"]}, ["initech"]),
]


@pytest.mark.parametrize(("criteria", "stacks"), CASES)
def test_a_stack_must_meet_each_criterion(
    team: Repository, criteria: dict[str, Any], stacks: list[str]
) -> None:
    assert team.selected(**criteria) == stacks


def test_an_unreadable_customer_is_selected(team: Repository) -> None:
    """A typo in the ring must not silently exclude a customer from a run on that ring."""
    team.customer("typo", plan="gold", ring="erly")
    team.write("stacks/Pulumi.torn.yaml", "config: {a")
    team.customer("lost", plan="golden", ring="pilot")
    assert team.selected(rings=["early"]) == ["globex", "torn", "typo"]
    assert team.selected(plans=["standard"], rings=["pilot"]) == ["acme", "lost", "torn", "typo"]
    assert team.selected(tags={"tier": ["gold"]}) == ["globex", "initech", "lost", "torn", "typo"]
    assert team.selected(tags={"tier": ["silver"]}) == ["lost", "torn"]


def test_names_are_sorted_and_unique(team: Repository) -> None:
    assert team.selected("initech", "acme", "initech") == ["acme", "initech"]
    assert team.selected("initech", "acme", rings=["pilot"]) == ["acme"]


UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"names": ["acmee"]}, 'no stack file Pulumi.acmee.yaml in .*; the closest is "acme"'),
    ({"plans": ["golden"]}, '--plan golden: there is no plan "golden"; the closest is "gold"'),
    ({"rings": ["pilots"]}, '--ring pilots: .*the closest is "pilot".*broad, early, pilot'),
    ({"tags": {"tiers": ["gold"]}}, '--tag tiers: no customer has this tag; the closest is "tier"'),
    ({"every": True, "changed_since": "nowhere"}, "--changed-since nowhere: .*git"),
]


@pytest.mark.parametrize(("criteria", "text"), UNKNOWN)
def test_an_unknown_selection_is_refused(team: Repository, criteria: dict[str, Any], text: str) -> None:
    with pytest.raises(UnknownSelection, match=text) as error:
        team.select(*criteria.pop("names", ()), **criteria)
    assert "\n" not in str(error.value)


def test_shards_have_each_stack_once_and_similar_sizes(team: Repository) -> None:
    parts = [team.selected(every=True, shard=Shard(number, 3)) for number in (1, 2, 3)]
    assert sorted(chain.from_iterable(parts)) == STACKS
    assert sorted(map(len, parts)) == [1, 1, 2]
    assert parts[0] == team.selected(every=True, shard=Shard(1, 3))
    assert [team.selected(every=True, shard=Shard(n, 9)) for n in (5, 9)] == [[], []]


def shards(stacks: Sequence[str], count: int, seconds: Mapping[str, float]) -> list[list[str]]:
    """Return the stacks of each shard. `seconds` are the durations of the stacks."""
    members = [Member(stack, Path(stack)) for stack in stacks]
    return [[member.stack for member in Shard(n, count, seconds).of(members)] for n in range(1, count + 1)]


def test_shards_have_equal_work(tmp_path: Path) -> None:
    """The longest stack is alone in its shard.

    The stack "i" has no known duration, so it counts as the median. "x" does not exist any more, so it does
    not count.
    """
    seconds = {
        "a": 60.0,
        "b": 30.0,
        "c": 30.0,
        "d": 10.0,
        "e": 10.0,
        "f": 10.0,
        "g": 10.0,
        "h": 10.0,
        "x": 9e9,
    }
    parts = shards("abcdefghi", 3, seconds)
    assert sorted(chain.from_iterable(parts)) == list("abcdefghi")
    work = [sum(seconds.get(stack, 10.0) for stack in part) for part in parts]
    assert work == [60.0, 60.0, 60.0]
    assert parts[0] == ["a"]


@settings(derandomize=True, max_examples=200)
@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=6), st.floats(0.001, 1e6), max_size=30),
    st.sets(st.text("abc", min_size=1, max_size=6), max_size=30),
    st.integers(1, 8),
)
def test_each_stack_is_in_one_shard_and_no_shard_has_much_more_work(
    seconds: dict[str, float], stacks: set[str], count: int
) -> None:
    """For all durations, the fullest shard exceeds the average by at most its shortest stack."""
    parts = shards(sorted(stacks), count, seconds)
    assert sorted(chain.from_iterable(parts)) == sorted(stacks)
    median = statistics.median(seconds.values()) if seconds else 1.0
    work = [[seconds.get(stack, median) for stack in part] for part in parts]
    average = sum(map(sum, work)) / count
    fullest = max(work, key=sum)
    assert sum(fullest) - min(fullest, default=0.0) <= average * 1.000001


def test_durations_are_read_from_a_report(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    durations = {"a": 2.5, "b": 0.0, "c": -1.0, "d": 7.25}
    Report(
        "preview", tuple(Outcome(stack, "preview", "ok", seconds=n) for stack, n in durations.items())
    ).write(file)
    file.write_text(file.read_text().replace("7.25", "Infinity"))
    assert times(file) == {"a": 2.5}
    file.write_text("")
    assert times(file) == {}
    for text in ("{}", "[", "\x00"):
        file.write_text(text)
        with pytest.raises(UnknownSelection, match=r"report\.json: this is not the report\.json of a run"):
            times(file)
    with pytest.raises(UnknownSelection, match="No such file"):
        times(tmp_path / "none.json")


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2"])
def test_an_invalid_shard_is_refused(text: str) -> None:
    with pytest.raises(UnknownSelection, match="write K/N"):
        Shard.parse(text)
    assert Shard.parse("2/3") == Shard(2, 3)


def test_a_shard_or_a_sample_is_not_a_criterion() -> None:
    assert not Criteria().is_given
    assert not Criteria(shard=Shard(1, 2), sample=3).is_given
    assert Criteria(changed_since="main").is_given


CHANGES: list[tuple[str, Callable[[Repository], Any], list[str]]] = [
    ("nothing", lambda team: None, []),
    ("a stack file", lambda team: team.customer("acme", plan="standard", ring="early"), ["acme"]),
    ("a new stack file", lambda team: team.customer("new"), ["new"]),
    (
        "a plan that is extended",
        lambda team: team.plan(plan=PLAN | {"protect": True}),
        ["acme", "globex", "initech"],
    ),
    ("a plan", lambda team: team.plan("gold", {"extends": "standard"}), ["globex", "initech"]),
    ("a page", lambda team: team.write("docs/guide.md"), []),
    ("a workflow's script", lambda team: team.write(".github/shards.py"), []),
    ("a module with the name of a module of Tenantry", lambda team: team.write("cli/check.py"), STACKS),
    ("the program", lambda team: team.write("__main__.py"), STACKS),
    ("a module", lambda team: team.write("providers/space.py"), STACKS),
    ("code next to the stack files", lambda team: team.write("stacks/rules.py"), STACKS),
    ("packages", lambda team: team.write("requirements.lock"), STACKS),
    (
        "the project",
        lambda team: team.write(
            "Pulumi.yaml",
            team.write(
                "Pulumi.yaml", "name: tenantry\nruntime: python\nstackConfigDir: stacks\ndescription: x\n"
            ).read_text(),
        ),
        STACKS,
    ),
]


@pytest.mark.parametrize(("change", "stacks"), [pytest.param(c, s, id=name) for name, c, s in CHANGES])
@pytest.mark.parametrize("committed", [False, True])
def test_changed_stacks_are_selected(
    team: Repository, change: Callable[[Repository], Any], stacks: list[str], committed: bool
) -> None:
    """The change may be committed, or only written to the working tree."""
    base = team.commit()
    change(team)
    if committed:
        team.commit()
    assert team.selected(changed_since=base) == stacks


def test_changes_count_from_the_merge_base(team: Repository) -> None:
    """Later commits of others on main do not count."""
    team.commit()
    team.git("switch", "--quiet", "--create", "feature")
    team.customer("acme", plan="standard", ring="early")
    team.commit()
    team.git("switch", "--quiet", "main")
    team.customer("hooli", name="Changed on main")
    team.commit()
    team.git("switch", "--quiet", "feature")
    assert team.selected(changed_since="main") == ["acme"]


def test_a_removed_stack_file_is_reported(team: Repository) -> None:
    base = team.commit()
    (team.root / "stacks" / "Pulumi.hooli.yaml").unlink()
    team.customer("acme", plan="standard", ring="early")
    selection = team.select(changed_since=base)
    assert selection.removed == ("hooli",)
    assert [member.stack for member in selection.members] == ["acme"]


def test_a_renamed_stack_file_is_one_removed_and_one_new_file(team: Repository) -> None:
    base = team.commit()
    (team.root / "stacks" / "Pulumi.hooli.yaml").rename(team.root / "stacks" / "Pulumi.umbrella.yaml")
    team.commit()
    selection = team.select(changed_since=base)
    assert selection.removed == ("hooli",)
    assert [member.stack for member in selection.members] == ["umbrella"]


def test_a_rotated_key_file_is_a_change(team: Repository) -> None:
    team.write("keys/acme.pem", public_pem())
    provider = {"issuer": "portal", "kid": "1", "pem_file": "../keys/acme.pem"}
    team.customer("acme", jwt_identity_providers={"portal": provider})
    base = team.commit()
    team.write("keys/acme.pem", public_pem() + "\n")
    assert team.selected(changed_since=base) == ["acme"]


def test_a_deleted_file_of_a_theme_is_a_change(team: Repository) -> None:
    theme = write(team.root / "themes" / "corporate", "Corporate")
    team.customer("acme", themes={"Look": {"path": "../themes/corporate"}})
    base = team.commit()
    assert team.selected(changed_since=base) == []
    (theme / "look.css").unlink()
    assert team.selected(changed_since=base) == ["acme"]


def test_a_broken_or_deleted_plan_changes_its_customers(team: Repository) -> None:
    base = team.commit()
    team.write("stacks/plans/gold.yaml", "groups: {a")
    assert team.selected(changed_since=base) == ["globex", "initech"]
    (team.root / "stacks" / "plans" / "gold.yaml").unlink()
    assert team.selected(changed_since=base) == ["globex", "initech"]


def test_an_unchanged_broken_stack_is_not_selected(team: Repository) -> None:
    team.write("stacks/Pulumi.torn.yaml", "config: {a")
    base = team.commit()
    team.customer("acme", plan="standard", ring="early")
    assert team.selected(changed_since=base) == ["acme"]


def test_a_sample_has_the_changed_stacks_and_some_of_each_plan(team: Repository) -> None:
    base = team.commit()
    team.write("providers/space.py")
    team.customer("acme", plan="standard", ring="early")
    found = team.selected(changed_since=base, sample=2)
    assert len(found) == 3
    assert "acme" in found
    assert "hooli" in found, "it is the only customer without a plan"
    assert found == team.selected(changed_since=base, sample=2)
    assert team.selected(changed_since=base, sample=0) == ["acme"]
    assert team.selected(changed_since=base, sample=99) == STACKS


def test_in_a_subfolder_only_changes_of_the_project_count(tmp_path: Any) -> None:
    outer = Repository(tmp_path)
    inner = Repository(tmp_path / "customers")
    inner.customer("acme")
    inner.customer("hooli")
    base = outer.commit()
    inner.customer("acme", ring="pilot")
    outer.write("providers/elsewhere.py")
    assert inner.selected(changed_since=base) == ["acme"]


def test_a_change_of_any_link_that_leads_to_a_file_is_a_change(tmp_path: Path) -> None:
    """A link may lead to a file, a folder or another link.

    Stack files and keys may be outside of the project.
    """
    outer = Repository(tmp_path / "repository")
    inner = Repository(outer.root / "infra")
    inner.write("Pulumi.yaml", "name: tenantry\nruntime: python\nstackConfigDir: ../customers\n")
    for name in ("v1", "v2"):
        outer.write(f"plans/{name}.yaml", f"tags: {{of: {name}}}\n")
    plans = outer.root / "customers" / "plans"
    plans.parent.mkdir()
    plans.symlink_to("../plans")
    (outer.root / "plans" / "current.yaml").symlink_to("newest.yaml")
    newest = outer.root / "plans" / "newest.yaml"
    newest.symlink_to("v1.yaml")
    outer.write("keys/acme.pem", public_pem())
    providers = {"portal": {"issuer": "portal", "kid": "1", "pem_file": "../keys/acme.pem"}}
    acme = {"name": "Acme", "plan": "current", "jwt_identity_providers": providers}
    for name, block in {"acme": acme, "hooli": {"name": "Hooli"}, "torn": {"plan": "nowhere"}}.items():
        config = {"qlik:region": "eu", "qlik:source_tenant": "t.eu.qlikcloud.com", "tenantry:customer": block}
        outer.write(f"customers/Pulumi.{name}.yaml", yaml.safe_dump({"config": config}))
    base = outer.commit()
    assert inner.selected(changed_since=base) == []
    outer.write("README.md", "another project in the repository")
    assert inner.selected(changed_since=base) == []

    def selected_after(change: Callable[[], object]) -> list[str]:
        change()
        stacks = inner.selected(changed_since=base)
        outer.git("stash", "--quiet", "--include-untracked")
        return stacks

    def redirect(link: Path, target: str) -> Callable[[], None]:
        def change() -> None:
            link.unlink()
            link.symlink_to(target)

        return change

    assert selected_after(redirect(newest, "v2.yaml")) == ["acme"]
    assert selected_after(redirect(outer.root / "plans" / "current.yaml", "v2.yaml")) == ["acme"]
    assert selected_after(lambda: outer.write("plans/v1.yaml", "tags: {of: nobody}\n")) == ["acme"]
    assert selected_after(lambda: outer.write("keys/acme.pem", public_pem() + "\n")) == ["acme"]
    assert selected_after(lambda: outer.write("customers/Pulumi.hooli.yaml", "config: {a")) == ["hooli"]
    shutil.copytree(outer.root / "plans", outer.root / "other", symlinks=True)
    base = outer.commit()
    assert selected_after(redirect(plans, "../other"))[0] == "acme"


def test_unusual_file_names_and_git_settings_are_handled(tmp_path: Path) -> None:
    outer = Repository(tmp_path)
    inner = Repository(tmp_path / "customers")
    inner.customer("acme")
    base = outer.commit()
    outer.git("config", "diff.relative", "true")
    inner.customer("acme", ring="pilot")
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).touch()
    assert inner.selected(changed_since=base) == ["acme"]


def test_the_digest_of_the_program_covers_the_code_that_pulumi_runs(team: Repository) -> None:
    """Other files, such as the lock links of an editor, do not change it."""
    team.write("providers/space.py")
    (team.root / ".#main.py").symlink_to("ada@machine.1")
    first = code_digest(team.root)
    for name in (
        "docs/page.md",
        ".venv/lib/x.py",
        "stacks/plans/gold.yaml",
    ):
        team.write(name)
        assert code_digest(team.root) == first, name
    for name in (
        "providers/space.py",
        "__main__.py",
        "stacks/rules.py",
        "requirements.lock",
        "cli/check.py",
        "tools/x.py",
    ):
        team.write(name, "other")
        assert code_digest(team.root) != first, name
        first = code_digest(team.root)


def test_the_digest_of_the_program_includes_the_installed_tenantry(
    team: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade in place changes the digest, although no file of the project changes."""
    package = tmp_path / "site" / "tenantry"
    real = tmp_path / "real"
    real.mkdir(parents=True)
    for name in ("settings", "pulumi_internals", "components", "cli"):
        (package / name).mkdir(parents=True)
    (package / "providers").symlink_to(real)  # as in an editable install
    (package / "__init__.py").touch()
    monkeypatch.setattr(changes, "INSTALLED_PACKAGE", package)
    first = code_digest(team.root)
    (package / "cli" / "status.py").write_text("no run imports this")
    assert code_digest(team.root) == first
    for name in ("__init__.py", "settings/rules.py", "components/customer_tenant.py", "providers/space.py"):
        (package / name).write_text("another version")
        assert code_digest(team.root) != first, name
        first = code_digest(team.root)
    team.write("tenantry/__init__.py")
    first = code_digest(team.root)
    (package / "__init__.py").write_text("in Tenantry's own repository its own code counts")
    assert code_digest(team.root) == first


def test_the_digest_covers_the_modules_that_a_run_imports() -> None:
    files = {
        str(file.relative_to(changes.INSTALLED_PACKAGE))
        for file in changes.package_files(changes.INSTALLED_PACKAGE)
    }
    assert {
        "__init__.py",
        "providers/space.py",
        "components/customer_tenant.py",
        "settings/rules.py",
    } <= files
    assert {name.partition("/")[0] for name in files} == {path[-1] for path in changes.PROGRAM_PATHS}


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "uv.lock", "pylock.toml"])
def test_a_changed_pin_is_a_change_of_every_stack(team: Repository, name: str) -> None:
    team.write(name, "tenantry==1.0.0")
    base = team.commit()
    assert team.selected(changed_since=base) == []
    team.write(name, "tenantry==1.1.0")
    assert team.selected(changed_since=base) == STACKS


def test_the_digest_in_a_checkout_of_tenantry_ignores_files_that_no_run_imports(team: Repository) -> None:

    team.write("tenantry/__init__.py")
    first = code_digest(team.root)
    for name in (
        "tests/test_x.py",
        "tools/x.py",
        "tenantry/cli/check.py",
        "tenantry/fleet/run.py",
        "tenantry/emulator/app.py",
    ):
        team.write(name, "other")
        assert code_digest(team.root) == first, name
    for name in (
        "providers/space.py",
        "components/customer_tenant.py",
        "tenantry/settings/rules.py",
        "tenantry/pulumi_internals/calls.py",
        "tenantry/__init__.py",
        "__main__.py",
    ):
        team.write(name, "other")
        assert code_digest(team.root) != first, name
        first = code_digest(team.root)
