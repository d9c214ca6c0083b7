"""The grouped lines of a report about many customers, and its warnings."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.fleet.outcome import Change, Difference, Outcome, Report, Trouble
from tenantry.fleet.report.grouping import DANGERS_TITLE, FAILED_TITLE, REVIVE_TITLE, Section, page
from tenantry.fleet.report.text import text
from tenantry.fleet.report.words import duration, value

ROLLOUT = (
    Change("replace", "App", "Sales Overview", (Difference("version", "2.3.0", "2.4.0"),), ("version",)),
    Change(
        "update",
        "AppPublication",
        "Sales Overview in Sales",
        (Difference("source_app"), Difference("description", "{v2.3.0}", "{v2.4.0}")),
    ),
)


def outcome(stack: str, *changes: Change, **fields: Any) -> Outcome:
    return Outcome(stack, **{"operation": "preview", "status": "ok", "changes": changes, **fields})


def lines_by_title(*outcomes: Outcome, **fields: Any) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    report = Report(outcomes[0].operation if outcomes else "preview", outcomes, **fields)
    return {section.title: lines_of(section) for section in page(report).sections}


def lines_of(section: Section) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.text, line.stacks) for line in section.lines]


def test_a_rollout_is_one_line_without_its_publications() -> None:
    assert lines_by_title(outcome("globex", *ROLLOUT), outcome("acme", *ROLLOUT)) == {
        "App versions": [("Sales Overview 2.3.0 → 2.4.0", ("acme", "globex"))]
    }


def test_a_publication_with_other_changes_has_its_own_line() -> None:
    renamed = Change("update", "AppPublication", "Sales Overview in Sales", (Difference("name", "a", "b"),))
    other = Change("update", "AppPublication", "Other in Sales", (Difference("description", "a", "b"),))
    assert lines_by_title(outcome("acme", ROLLOUT[0], renamed, other))["Changes"] == [
        ("update AppPublication Other in Sales: description a → b", ("acme",)),
        ("update AppPublication Sales Overview in Sales: name a → b", ("acme",)),
    ]


@pytest.mark.parametrize("reason", ["template", "template_id", "source_tenant", "data"])
def test_another_import_of_an_app_is_not_a_danger(reason: str) -> None:
    change = Change("replace", "App", "Sales", (Difference(reason, "a", "b"),), (reason,))
    assert lines_by_title(outcome("acme", change)) == {
        "App versions": [(f"Sales imported again: {reason} a → b", ("acme",))]
    }


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("delete", "Group", "Analysts"), "delete Group Analysts"),
        (
            Change("delete", "AppPublication", "A in B"),
            "delete AppPublication A in B: this deletes what users created in it",
        ),
        (
            Change("replace", "Space", "Sales", (Difference("type", "shared", "managed"),), ("type",)),
            "replace Space Sales (because of type): type shared → managed",
        ),
        (
            Change("replace", "App", "Sales", (Difference("version", "1", "2"),), ("version", "tenant")),
            "replace App Sales (because of version, tenant): version 1 → 2",
        ),
        (
            Change("update", "Tenant", "tenant", (Difference("name", "A", "B"),)),
            "update Tenant tenant: name A → B",
        ),
        (
            Change("update", "TenantLifecycle", "lifecycle", (Difference("grace_days", 30, 7),)),
            "update TenantLifecycle lifecycle: grace_days 30 → 7",
        ),
        (Change("create", "GroupSettings", "group settings"), "create GroupSettings group settings"),
        (
            Change("update", "Space", "Sales", (Difference("protect", True, False),)),
            "update Space Sales: it loses its protection from deletion: protect true → false",
        ),
        (
            Change("update", "LicenseSettings", "license settings", (Difference("auto", True, False),)),
            "update LicenseSettings license settings: auto true → false",
        ),
    ],
)
def test_dangers_are_listed_once_and_first(change: Change, text: str) -> None:
    sections = lines_by_title(outcome("acme", *ROLLOUT), outcome("globex", change))
    assert list(sections) == [DANGERS_TITLE, "App versions"]
    assert sections[DANGERS_TITLE] == [(text, ("globex",))]


def test_an_interrupted_destroy_is_a_danger() -> None:
    """The next run reactivates the tenant, and the report says so."""
    change = Change("create", "TenantActivation", "activation")
    ((line, stacks),) = lines_by_title(outcome("acme", change, same=9))[DANGERS_TITLE]
    assert (line, stacks) == (
        "create TenantActivation activation: an earlier destroy was interrupted; this reactivates the tenant",
        ("acme",),
    )


def test_a_renewed_proof_and_a_longer_trial_are_not_dangers() -> None:
    """A renewed proof loses nothing. The activation only repeats the end date of the lifecycle."""
    end_date = (Difference("ends_on", "2026-12-31", "2027-01-31"),)
    sections = lines_by_title(
        outcome("acme", Change("replace", "TenantProof", "proof", because=("proof",)), same=9),
        outcome(
            "globex",
            Change("update", "TenantLifecycle", "lifecycle", end_date),
            Change("update", "TenantActivation", "activation", end_date),
            same=9,
        ),
    )
    lines = [line for section in sections.values() for line, _ in section]
    assert not [line for line in lines if "TenantActivation" in line]
    assert not [line for line, _ in sections.get(DANGERS_TITLE, []) if "TenantProof" in line]
    assert [line for line in lines if "TenantProof" in line]


def test_changed_settings_are_not_dangers() -> None:
    version = Difference("value", "2.3.0", "2.4.0")
    changes = (
        Change("update", "setting", "customer.apps.Sales.version", (version,)),
        Change("delete", "setting", "customer.description", (Difference("value", "ours"),)),
        Change("create", "setting", "customer.groups.Viewers", (Difference("value", None, ""),)),
        Change("create", "setting", "customer.tags.tier", (Difference("value", None, "gold"),)),
    )
    new = outcome("new", Change("create", "setting", "customer.name"), new=True, operation="diff")
    assert lines_by_title(outcome("acme", *changes, operation="diff"), new) == {
        "New customers": [("1 setting", ("new",))],
        "Removed from the settings": [("customer.description removed (was: ours)", ("acme",))],
        "Changes": [
            ("customer.apps.Sales.version: 2.3.0 → 2.4.0", ("acme",)),
            ("customer.groups.Viewers added", ("acme",)),
            ("customer.tags.tier added: gold", ("acme",)),
        ],
    }


def test_a_removed_stack_file_is_a_danger_and_its_tenant_stays() -> None:
    [(text, stacks)] = lines_by_title(removed=("globex",))[DANGERS_TITLE]
    assert "does not delete the tenant" in text
    assert stacks == ("globex",)


def test_a_destroy_names_the_release_of_entitlements() -> None:
    differences = (Difference("release_entitlements", True, None),)
    change = Change("delete", "TenantLifecycle", "lifecycle", differences)
    text = (
        "would be deactivated, with everything in it (1 resource); release_entitlements is set for its users"
    )
    assert lines_by_title(outcome("acme", change))[DANGERS_TITLE] == [(f"the tenant {text}", ("acme",))]


def test_a_destroy_is_one_danger_per_tenant() -> None:
    changes = [Change("delete", kind, "x") for kind in ("TenantLifecycle", "Tenant", "Space", "Group")]
    revive = "revive: {hostname: a.eu.qlikcloud.com, tenant_id: t}"
    destroyed = outcome("acme", *changes, operation="destroy", purged_on="2026-12-24", revive=revive)
    assert lines_by_title(destroyed) == {
        DANGERS_TITLE: [
            (
                "the tenant is deactivated, with everything in it (4 resources); "
                "Qlik purges it on 2026-12-24",
                ("acme",),
            )
        ],
        REVIVE_TITLE: [("until 2026-12-24", ("acme",))],
    }
    [(text, _)] = lines_by_title(outcome("acme", *changes))[DANGERS_TITLE]
    assert text.startswith("the tenant would be deactivated")


def test_new_customers_show_their_number_of_resources() -> None:
    changes = [Change("create", "Tenant", "tenant"), *(Change("create", "Space", f"{n}") for n in range(19))]
    assert lines_by_title(
        outcome("acme", *changes, plan="gold"), outcome("globex", Change("create", "Group", "x"), new=True)
    ) == {"New customers": [("1 resource", ("globex",)), ("20 resources, plan gold", ("acme",))]}


def test_failures_of_the_same_kind_are_one_line_with_every_name() -> None:
    def failed_outcome(stack: str) -> Outcome:
        text = f"POST {stack}.eu.qlikcloud.com/api/v1/spaces answered 403 FORBIDDEN (traceId {stack}1)"
        trouble = Trouble(text, "Space Sales", "give the client its role", "FORBIDDEN", f"{stack}1")
        return outcome(stack, status="failed", troubles=(trouble,))

    lines = lines_by_title(
        failed_outcome("acme"), failed_outcome("globex"), outcome("initech", status="failed")
    )[FAILED_TITLE]
    advice = "→ give the client its role"
    assert lines == [
        (f"Space Sales: POST …/api/v1/spaces answered 403 FORBIDDEN {advice}", ("acme", "globex")),
        ("no error message", ("initech",)),
    ]
    [(single, _)] = lines_by_title(failed_outcome("acme"))[FAILED_TITLE]
    assert "acme.eu.qlikcloud.com" in single
    assert "traceId acme1" in single


def test_a_missing_code_is_added_to_the_line() -> None:
    failed = outcome("acme", status="failed", troubles=(Trouble("no", code="LICENSE-7"),))
    assert lines_by_title(failed)[FAILED_TITLE] == [("no [LICENSE-7]", ("acme",))]


def test_stacks_that_did_not_run_and_pinned_stacks_are_listed() -> None:
    outcomes = [
        outcome("a", status="not run"),
        outcome("b", status="skipped", remarks=("the trial is over",)),
        outcome("c", pinned=("Sales Overview 2.1.0 (plan: 2.4.0)",)),
        outcome("d", status="interrupted", troubles=(Trouble("no end after 9 s"),)),
        outcome("e", remarks=("group taken over",)),
    ]
    assert lines_by_title(*outcomes, stopped="too many failures") == {
        "Interrupted": [("no end after 9 s", ("d",))],
        "Not run": [("too many failures", ("a",))],
        "Skipped": [("the trial is over", ("b",))],
        "Pinned by the customer's own file": [("Sales Overview 2.1.0 (plan: 2.4.0)", ("c",))],
        "Remarks": [("group taken over", ("e",))],
    }


def test_a_stopped_run_says_so_even_if_every_stack_ran() -> None:
    assert lines_by_title(outcome("a"), stopped="Ctrl-C") == {
        "Not run": [("the run was stopped: Ctrl-C", ())]
    }


def test_drift_is_grouped_and_not_a_danger() -> None:
    drift = (
        Change("update", "Group", "Analysts", (Difference("roles", ["a"], ["a", "b"]),)),
        Change("delete", "Space", "Sales"),
    )
    assert lines_by_title(outcome("acme", drift=drift), outcome("globex", drift=drift[:1])) == {
        "Changed outside of Tenantry": [
            ("Group Analysts differs: roles a → a, b", ("acme", "globex")),
            ("Space Sales is gone", ("acme",)),
        ]
    }


def test_unchanged_stacks_are_only_counted() -> None:
    grouped = page(Report("up", (outcome("a"), outcome("b")), seconds=63))
    assert grouped.sections == []
    assert grouped.summary == "2 stacks: 2 up to date in 1 m 3 s"


def test_a_report_without_changes_says_so() -> None:
    unchanged = (outcome("a"), outcome("b"), outcome("c"))
    assert page(Report("preview", unchanged)).no_changes == "Nothing to do: no change in 3 customers"
    skipped = outcome("d", status="skipped")
    assert page(Report("preview", (*unchanged, skipped))).no_changes.endswith("no change in 3 customers")
    for other in (outcome("d", *ROLLOUT), outcome("d", status="failed"), outcome("d", status="not run")):
        assert page(Report("preview", (*unchanged, other))).no_changes == ""
    assert page(Report("preview", (skipped,))).no_changes == ""
    assert page(Report("preview", unchanged, removed=("gone",))).no_changes == ""
    assert page(Report("preview", ())).no_changes == "Nothing to do"


def test_the_summary_counts_the_stacks_by_result() -> None:
    outcomes = (
        *(outcome(f"{n}", operation="up") for n in range(9)),
        *(outcome(f"c{n}", *ROLLOUT, operation="up") for n in range(2)),
        outcome("f", status="failed", operation="up"),
    )
    grouped = page(Report("up", outcomes, seconds=63))
    assert grouped.summary == "12 stacks: 9 up to date, 2 changed, 1 failed in 1 m 3 s"


def test_changes_are_equal_only_if_their_full_values_are() -> None:
    def change_of_description(end: str) -> Change:
        return Change("update", "Space", "Sales", (Difference("description", "", "x" * 90 + end),))

    lines = lines_by_title(
        outcome("a", change_of_description("1")),
        outcome("b", change_of_description("2")),
        outcome("c", change_of_description("1")),
    )
    assert [stacks for _, stacks in lines["Changes"]] == [("a", "c"), ("b",)]


def test_only_the_first_differences_are_shown() -> None:
    change = Change("update", "Group", "A", tuple(Difference(f"p{n}", 1, 2) for n in range(9)))
    [(text, _)] = lines_by_title(outcome("a", change))["Changes"]
    assert text.endswith("p5 1 → 2; and 3 more")


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        (None, "(none)"),
        (["a", "b", "c"], "a, b, c"),
        ([], "(empty)"),
        ([{"a": 1}], '[{"a": 1}]'),
        (True, "true"),
        (3, "3"),
        ("", '""'),
        ("a\n\nb\tc", "a b c"),
        ("right\u202eleft", "right left"),
        ("[secret]", "[secret]"),
        ("x" * 81, "x" * 79 + "…"),
    ],
)
def test_values_are_shown_as_text(setting: Any, shown: str) -> None:
    assert value(setting) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (59.7, "1 m 0 s"), (63, "1 m 3 s"), (7500, "2 h 5 m")],
)
def test_durations_are_shown_as_text(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_the_most_serious_danger_comes_first() -> None:
    small = [outcome(f"c{n}", Change("delete", "Group", "Analysts")) for n in range(9)]
    serious = outcome("acme", Change("replace", "Tenant", "tenant", (), ("region",)))
    publication = outcome("globex", Change("delete", "AppPublication", "A in B"))
    lines = lines_by_title(*small, serious, publication, removed=("gone",))[DANGERS_TITLE]
    assert [stacks[0] for _, stacks in lines] == ["acme", "gone", "globex", "c0"]


def test_a_long_difference_does_not_cut_off_the_consequence() -> None:
    differences = tuple(Difference(f"p{n}", "x" * 80, "y" * 80) for n in range(6))
    change = Change("replace", "AppPublication", "A in B", differences, ("app",))
    ((text, _),) = lines_by_title(outcome("acme", change))[DANGERS_TITLE]
    assert text.startswith(
        "replace AppPublication A in B (because of app): this deletes what users created in it: "
    )


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("2.4.0", "2.3.0", "Sales 2.4.0 → 2.3.0 (older)"),
        ("2.10.0", "2.9.0", "Sales 2.10.0 → 2.9.0 (older)"),
        ("2.9.0", "2.10.0", "Sales 2.9.0 → 2.10.0"),
    ],
)
def test_an_older_version_is_marked(old: str, new: str, shown: str) -> None:
    change = Change("replace", "App", "Sales", (Difference("version", old, new),), ("version",))
    assert lines_by_title(outcome("acme", change))["App versions"] == [(shown, ("acme",))]


def test_the_problems_of_a_file_are_ordered_by_line() -> None:
    troubles = tuple(Trouble("wrong", f"stacks/Pulumi.acme.yaml:{line}") for line in (11, 7, 100))
    lines = lines_by_title(outcome("acme", status="failed", troubles=troubles))[FAILED_TITLE]
    assert [text.split(":")[1] for text, _ in lines] == ["7", "11", "100"]


def test_failures_are_red_whatever_the_title() -> None:
    outcomes = (outcome("acme", status="failed"), outcome("globex", status="interrupted"))
    report = Report("up", outcomes)
    assert [section.has_failures for section in page(report).sections] == [True, False]
    assert [line.red for line in text(report) if line.heading] == [True, False]
