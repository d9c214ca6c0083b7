"""Plans that extend other plans: the result, the places in the messages, and broken chains."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

from pathlib import Path

import pytest

import tenantry.settings
from tenantry.settings.models import Plan
from tests.settings.conftest import Folder

STACK = "stacks/Pulumi.globex.yaml"

BASE = """
lifecycle: {grace_days: 60}
protect: false
groups:
  Analysts: {roles: [AnalyticsAdmin]}
  Viewers: {}
spaces:
  Staging: {type: shared}
  Sales: {type: managed, access: {Analysts: [consumer], Viewers: [basicconsumer]}}
apps:
  Sales: {template: Sales, version: "1.0", staging: Staging, publish_to: [Sales]}
"""
STANDARD = """
extends: base
groups:
  Viewers:
  Planners: {}
spaces:
  Sales: {access: {Viewers: , Planners: [publisher]}}
apps:
  Sales: {version: "1.1"}
"""
GOLD = """
extends: standard
protect:
groups:
  Analysts: {roles: [AnalyticsAdmin, Developer]}
"""


@pytest.fixture
def tiers(folder: Folder) -> Folder:
    """Write three plans, each of which extends the next: gold, standard, base."""
    return folder.write("plan: gold", gold=GOLD, standard=STANDARD, base=BASE)


def problems_of_plan(path: Path) -> list[str]:
    """Return the problems of a plan, one line each."""
    with pytest.raises(tenantry.settings.SettingsError) as caught:
        tenantry.settings.check_plan(path)
    return str(caught.value).splitlines()[1:]


def test_each_plan_is_merged_over_the_plan_that_it_extends(tiers: Folder) -> None:
    customer = tiers.customer()
    assert customer.lifecycle.grace_days == 60
    assert {key: group.roles for key, group in customer.groups.items()} == {
        "Analysts": ["AnalyticsAdmin", "Developer"],
        "Planners": [],
    }
    assert customer.spaces["Sales"].access == {"Analysts": ["consumer"], "Planners": ["publisher"]}
    assert customer.apps["Sales"].version == "1.1"
    assert customer.protect is None  # gold removes the value that base sets
    for plan in ("gold", "standard", "base"):
        tenantry.settings.check_plan(tiers.path / "plans" / f"{plan}.yaml")


def test_values_from_the_engine_give_the_same_settings(tiers: Folder) -> None:
    config = {
        "qlik:region": "eu",
        "qlik:source_tenant": "templates.eu.qlikcloud.com",
        "tenantry:customer": {"name": "Globex", "plan": "gold"},
    }
    assert tenantry.settings.load(config, stack="globex", directory=tiers.path) == tiers.load()


def test_a_version_in_a_plan_reaches_all_customers_that_do_not_pin_their_own(folder: Folder) -> None:
    """It makes no difference how many plans are between the customer and the entry."""
    plans = {"gold": GOLD, "standard": STANDARD, "base": BASE}
    customers = {
        "plan: base": "1.0",
        "plan: standard": "1.1",
        "plan: gold": "1.1",
        'plan: gold\napps: {Sales: {version: "0.9"}}': "0.9",
    }
    for customer, version in customers.items():
        assert folder.write(customer, **plans).customer().apps["Sales"].version == version
    plans["standard"] = STANDARD.replace("1.1", "1.2")
    after = [folder.write(customer, **plans).customer().apps["Sales"].version for customer in customers]
    assert after == ["1.0", "1.2", "1.2", "0.9"]


def test_an_entry_that_one_plan_removes_can_be_added_by_the_next(folder: Folder) -> None:
    """The new entry has no values of the removed one."""
    gold = "extends: standard\ngroups: {Viewers: {provider_type: custom}}"
    base = BASE.replace("Viewers: {}", "Viewers: {roles: [Developer]}")
    customer = folder.write("plan: gold", gold=gold, standard=STANDARD, base=base).customer()
    assert (customer.groups["Viewers"].provider_type, customer.groups["Viewers"].roles) == ("custom", [])


def test_problems_are_reported_for_the_file_with_the_value(folder: Folder) -> None:
    problems = folder.write(
        "plan: gold\ngroups: {Analysts: {roles: [1]}}",
        gold="extends: standard\nlifecycle: {grace_days: 5}",
        standard="extends: base\nspaces: {Sales: {access: {Analysts: [viewer]}}}",
        base=BASE.replace("type: shared", "type: sharde"),
    ).problems()
    assert [line.partition(": ")[0] for line in problems] == [
        f"{STACK}:7",
        "stacks/plans/base.yaml:7",
        "stacks/plans/gold.yaml:2",
        "stacks/plans/standard.yaml:2",
    ]


def test_a_missing_key_is_not_reported_for_a_removed_entry(folder: Folder) -> None:
    """Plan `base` has the space, `standard` removes it, and `gold` adds it again without a type.

    The type is missing in `gold`, not in `base`.
    """
    problems = folder.write(
        "plan: gold",
        gold="extends: standard\nspaces:\n  Extra: {description: More}",
        standard="extends: base\nspaces: {Extra: }",
        base="spaces:\n  Extra: {type: shard}",
    ).problems()
    assert problems == [
        "stacks/plans/gold.yaml:3: spaces.Extra.type: is missing; allowed: data, managed, shared"
    ]


def test_the_use_of_a_removed_entry_is_reported_with_the_plan_that_removes_it(folder: Folder) -> None:
    standard = STANDARD.replace("Viewers: , ", "")
    problems = folder.write("plan: gold", gold=GOLD, standard=standard, base=BASE).problems()
    assert problems == [
        'stacks/plans/base.yaml:8: spaces.Sales.access.Viewers: group "Viewers" is removed by plan "standard", '
        "but still used here; remove this as well"
    ]


REMOVALS = [
    (
        {"gold": GOLD + "  Viewers: null\n"},
        "stacks/plans/gold.yaml:5: groups.Viewers: an empty value removes what the plan has, but "
        "stacks/plans/standard.yaml does not have this key, and neither does any plan that it extends; "
        "for an entry with only defaults, write Viewers: {}",
    ),
    (
        {"standard": STANDARD.replace("  Viewers:\n", "  Viewer:\n").replace("Viewers: , ", "")},
        "stacks/plans/standard.yaml:3: groups.Viewer: an empty value removes what the plan has, but "
        'stacks/plans/base.yaml does not have this key; the closest is "Viewers"',
    ),
]


@pytest.mark.parametrize(("plans", "expected"), REMOVALS, ids=["by an earlier plan", "misspelt"])
def test_the_removal_of_an_entry_that_no_plan_has_is_refused(
    folder: Folder, plans: dict[str, str], expected: str
) -> None:
    all_plans = {"gold": GOLD, "standard": STANDARD, "base": BASE, **plans}
    assert folder.write("plan: gold", **all_plans).problems() == [expected]


def test_a_customer_can_remove_an_entry_of_any_plan_in_the_chain(tiers: Folder) -> None:
    customer = tiers.write("plan: gold\napps: {Sales: }\nspaces: {Sales: , Staging: }").customer()
    assert (customer.apps, customer.spaces) == ({}, {})


CHAINS = [
    (
        {"gold": "extends: gold"},
        "stacks/plans/gold.yaml:1: extends: plans extend each other in a circle: gold -> gold; "
        "remove one of these steps",
    ),
    (
        {
            "gold": "extends: standard",
            "standard": "extends: base",
            "base": "protect: true\nextends: standard",
        },
        "stacks/plans/base.yaml:2: extends: plans extend each other in a circle: standard -> base -> standard; "
        "remove one of these steps",
    ),
    (
        {"gold": "extends: standard", "standard": "extends: bass", "base": "{}"},
        'stacks/plans/standard.yaml:1: extends: there is no plan "bass"; the closest is "base"; '
        "allowed: base, gold, standard",
    ),
    (
        {"gold": "extends: 2024"},
        "stacks/plans/gold.yaml:1: extends: must be the name of a plan, in quotes if it looks like a number, "
        "not 2024",
    ),
    (
        {"gold": "extends: [standard, base]"},
        "stacks/plans/gold.yaml:1: extends: must be the name of a plan, in quotes if it looks like a number, "
        "not a list",
    ),
    (
        {"gold": "extends: base", "base": "- Analysts"},
        f"stacks/plans/base.yaml:1: a plan is a mapping of {', '.join(Plan.model_fields)}, not a list",
    ),
]


@pytest.mark.parametrize(("plans", "expected"), CHAINS, ids=[expected[:60] for _, expected in CHAINS])
def test_a_broken_chain_is_reported_once(folder: Folder, plans: dict[str, str], expected: str) -> None:
    """The customer and the plan get one line each. Keys that an unread plan may contain are not reported."""
    customer = """
        plan: gold
        lifecycle: {kind: trial}
        groups: {Viewers: null}
        spaces: {Sales: {access: {Analysts: [consumer]}}}
        """
    if "base.yaml:1" in expected:
        customer = "plan: gold"
    assert folder.write(customer, **plans).problems() == [expected]
    assert problems_of_plan(folder.path / "plans" / "gold.yaml") == [expected]


def test_an_empty_extends_counts_as_unset(folder: Folder) -> None:
    assert folder.write("plan: gold", gold="extends:\nprotect: true").customer().protect


def test_a_customer_cannot_have_extends(folder: Folder) -> None:
    [problem] = folder.write("extends: base", base=BASE).problems()
    assert problem.startswith(f"{STACK}:6: customer.extends: unknown key; ")
