"""The merge of a customer over its plan: the result, and the places in the messages."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

from typing import Any

import pytest

import tenantry.settings
from tenantry.demo.example import FILES
from tenantry.settings.merge import complete, merge, removals
from tests.settings.conftest import Folder

STACK = "stacks/Pulumi.globex.yaml"
PLAN = "stacks/plans/standard.yaml"
PLAN_KEYS_IN_ORDER = (
    "tenant, lifecycle, protect, ring, tags, group_settings, license_settings, brands, themes, extensions, "
    "pinned_links, web_integrations, csp_origins, webhooks, oidc_identity_providers, "
    "saml_identity_providers, jwt_identity_providers, oauth_clients, users, admins, groups, spaces, "
    "data_connections, data_files, apps, reload_tasks, automations, extends"
)
PLAN_KEYS = ", ".join(sorted(PLAN_KEYS_IN_ORDER.split(", ")))

TEAM = """
lifecycle: {grace_days: 60}
groups:
  Analysts: {roles: [AnalyticsAdmin]}
  Viewers:
spaces:
  Staging: {type: shared}
  Sales:
    type: managed
    access:
      Analysts: [consumer]
      Viewers: [basicconsumer]
apps:
  Sales: {template: Sales, version: "1.0", staging: Staging, publish_to: [Sales]}
"""

TABLE: list[tuple[str, Any, Any, Any]] = [
    ("nothing over a plan", {"a": 1}, {}, {"a": 1}),
    ("a customer without plan", {}, {"a": 1}, {"a": 1}),
    ("a value over a value", {"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
    (
        "nested maps are merged",
        {"a": {"b": {"c": 1, "d": 2}}},
        {"a": {"b": {"c": 3}}},
        {"a": {"b": {"c": 3, "d": 2}}},
    ),
    ("lists are replaced", {"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
    ("an empty list over a list", {"a": [1]}, {"a": []}, {"a": []}),
    ("null removes a value", {"a": 1, "b": 2}, {"a": None}, {"b": 2}),
    ("null removes a map", {"a": {"b": {"c": 1}}}, {"a": {"b": None}}, {"a": {}}),
    ("null removes an empty value", {"a": None}, {"a": None}, {}),
    ("a plan's own empty value stays", {"a": None}, {}, {"a": None}),
    ("a map over an empty value", {"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ("null over nothing", {}, {"a": None}, {"a": None}),
    ("a map over a value", {"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
    ("a value over a map", {"a": {"b": 2}}, {"a": 1}, {"a": 1}),
    ("false is a value", {"a": True}, {"a": False}, {"a": False}),
    ("a customer that is not a mapping", {"a": 1}, "customer", "customer"),
]


@pytest.mark.parametrize(
    ("plan", "customer", "merged"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_customer_is_merged_over_its_plan(plan: Any, customer: Any, merged: Any) -> None:
    before = repr((plan, customer))
    assert merge(plan, customer) == merged
    assert repr((plan, customer)) == before


def test_complete_names_entries_and_drops_empty_values() -> None:
    values = {
        "alias": None,
        "tenant": {"datacenter": None},
        "spaces": {"A": None, "B": {"name": "b", "type": None}},
    }
    assert complete(values) == {"tenant": {}, "spaces": {"A": {"name": "A"}, "B": {"name": "b"}}}


def test_complete_leaves_invalid_values_for_the_models_to_report() -> None:
    assert complete({"groups": 5, "apps": {"A": 5}}) == {"groups": 5, "apps": {"A": 5}}
    assert complete("customer") == "customer"


def test_removals_tell_whether_the_plan_has_the_key() -> None:
    plan: dict[str, Any] = {"groups": {"A": {}, "B": {}}, "spaces": {"S": {}}}
    customer: dict[str, Any] = {"groups": {"A": None, "C": None, "D": {}}, "spaces": None, "apps": 5}
    assert dict(removals(plan, customer)) == {
        ("groups", "A"): True,
        ("groups", "C"): False,
        ("spaces", "S"): True,
    }


def test_a_customer_gets_the_values_of_its_plan(folder: Folder) -> None:
    customer = folder.write("plan: standard", standard=TEAM).customer()
    assert set(customer.groups) == {"Analysts", "Viewers"}
    assert customer.groups["Viewers"].roles == []
    assert customer.spaces["Sales"].access == {"Analysts": ["consumer"], "Viewers": ["basicconsumer"]}
    assert customer.apps["Sales"].publish_to == ["Sales"]
    assert customer.lifecycle.grace_days == 60


def test_a_customer_overrides_adds_and_removes(folder: Folder) -> None:
    customer = folder.write(
        """
        plan: standard
        lifecycle: {kind: trial, ends_on: "2026-12-31"}
        groups: {Viewers: null, Analysts: {roles: [Developer]}, Guests: {}}
        spaces: {Sales: {name: Verkauf, access: {Viewers: null, Guests: [consumer]}}}
        apps: {Sales: {version: "2.0"}}
        """,
        standard=TEAM,
    ).customer()
    assert set(customer.groups) == {"Analysts", "Guests"}
    assert customer.groups["Analysts"].roles == ["Developer"]
    assert customer.spaces["Sales"].access == {"Analysts": ["consumer"], "Guests": ["consumer"]}
    assert (customer.spaces["Sales"].name, customer.spaces["Sales"].type) == ("Verkauf", "managed")
    assert (customer.apps["Sales"].version, customer.apps["Sales"].template) == ("2.0", "Sales")
    assert (customer.lifecycle.kind, customer.lifecycle.grace_days) == ("trial", 60)


def test_an_empty_group_without_a_plan_is_a_group(folder: Folder) -> None:
    assert folder.write("groups:\n  Analysts:").customer().groups["Analysts"].name == "Analysts"


def test_a_whole_block_can_be_removed(folder: Folder) -> None:
    customer = folder.write("plan: standard\napps: null", standard=TEAM).customer()
    assert customer.apps == {}
    assert set(customer.spaces) == {"Staging", "Sales"}


WITH_A_PLAN = [
    (
        "plan: standart",
        "",
        [
            f'{STACK}:6: customer.plan: there is no plan "standart"; the closest is "standard"; allowed: standard'
        ],
    ),
    ("plan: ../secrets", "", [f'{STACK}:6: customer.plan: there is no plan "../secrets"; allowed: standard']),
    (
        "plan: standard",
        "- Analysts",
        [f"{PLAN}:1: a plan is a mapping of {PLAN_KEYS_IN_ORDER}, not a list"],
    ),
    # A problem of a value from the plan is reported for the plan's file
    (
        "plan: standard",
        "# product\nspaces:\n  Sales:\n    type: manged",
        [
            f'{PLAN}:4: spaces.Sales.type: "manged" is not allowed; the closest is "managed"; '
            "allowed: data, managed, shared"
        ],
    ),
    (
        "plan: standard",
        "alias: globex",
        [f"{PLAN}:1: alias: unknown key; allowed: {PLAN_KEYS}"],
    ),
    # The same group is in both files: each problem is reported for the file with the value
    (
        "plan: standard\nspaces:\n  Sales:\n    access:\n      Analysts: [viewer]",
        "groups: {Analysts: {}, Viewers: {}}\nspaces:\n  Sales:\n    type: managed\n    access:\n"
        "      Viewers:\n      - consumer\n      - viewer",
        [
            f'{STACK}:10: customer.spaces.Sales.access.Analysts: a managed space has no role "viewer"; '
            "allowed: basicconsumer, consumer, contributor, dataconsumer, facilitator, publisher",
            f'{PLAN}:8: spaces.Sales.access.Viewers: a managed space has no role "viewer"; '
            "allowed: basicconsumer, consumer, contributor, dataconsumer, facilitator, publisher",
        ],
    ),
    (
        "plan: standard\nspaces:\n  Sales: {type: null}",
        "spaces: {Sales: {type: managed}}",
        [f"{STACK}:8: customer.spaces.Sales.type: is missing; allowed: data, managed, shared"],
    ),
    (
        "plan: standard\ngroups: {Viewer: null}",
        "groups: {Viewers: {}}",
        [
            f"{STACK}:7: customer.groups.Viewer: an empty value removes what the plan has, but {PLAN} does not have this "
            'key; the closest is "Viewers"'
        ],
    ),
    (
        "plan: standard\ngroups: {Analysts: }",
        "spaces: {}",
        [
            f"{STACK}:7: customer.groups.Analysts: an empty value removes what the plan has, but {PLAN} does not have "
            "this key; for an entry with only defaults, write Analysts: {}"
        ],
    ),
    (
        "plan: standard\ngroups: {Viewers: null}",
        "groups: {Viewers: {}}\nspaces:\n  Sales:\n    type: managed\n    access: {Viewers: [consumer]}",
        [
            f'{PLAN}:5: spaces.Sales.access.Viewers: group "Viewers" is removed by the customer, but still used '
            "here; remove this as well"
        ],
    ),
]


@pytest.mark.parametrize(
    ("customer", "plan", "expected"), WITH_A_PLAN, ids=[row[2][0][:70] for row in WITH_A_PLAN]
)
def test_mistakes_are_reported_for_the_file_that_contains_them(
    folder: Folder, customer: str, plan: str, expected: list[str]
) -> None:
    assert folder.write(customer, standard=plan).problems() == expected


def test_a_plan_that_is_not_yaml_is_reported_with_its_line(folder: Folder) -> None:
    [problem] = folder.write("plan: standard", standard="groups: {}\nspaces: [").problems()
    assert problem.startswith(f"{PLAN}:3: this is not valid YAML: ")


def test_keys_that_a_missing_plan_may_contain_are_not_reported_as_missing(folder: Folder) -> None:
    problems = folder.write(
        """
        plan: standard
        lifecycle: {kind: trial}
        spaces: {Sales: {access: {Analysts: [consumer]}}}
        apps: {Sales: {version: 2.0}}
        """
    ).problems()
    assert problems == [
        f'{STACK}:6: customer.plan: there is no plan "standard"; stacks/plans contains no plan',
        f'{STACK}:9: customer.apps.Sales.version: YAML reads 2.0 as a number; put it in quotes: version: "2.0"',
    ]


def test_keys_that_no_plan_can_contain_are_reported_as_missing(folder: Folder) -> None:
    head = "config:\n  qlik:region: eu\n  tenantry:customer:\n    alias: globex\n"
    assert folder.write("plan: standard", head=head).problems() == [
        f"{STACK}:1: qlik:source_tenant: is missing; for example qlik:source_tenant: templates.eu.qlikcloud.com",
        f"{STACK}:3: customer.name: is missing",
        f'{STACK}:5: customer.plan: there is no plan "standard"; stacks/plans contains no plan',
    ]


class TestPlanAlone:
    """The check of a plan does not require keys that its customers add."""

    def problems(self, folder: Folder, plan: str) -> list[str]:
        path = folder.path / "plans" / "standard.yaml"
        path.write_text(plan, "utf-8")
        with pytest.raises(tenantry.settings.SettingsError) as caught:
            tenantry.settings.check_plan(path)
        count, *lines = str(caught.value).splitlines()
        assert "in the settings of plan standard:" in count
        return lines

    @pytest.mark.parametrize("name", ["standard", "trial"])
    def test_the_plans_of_the_demo_are_valid(self, name: str) -> None:
        tenantry.settings.check_plan(FILES / "plans" / f"{name}.yaml")

    def test_keys_that_a_customer_can_add_are_not_reported_as_missing(self, folder: Folder) -> None:
        path = folder.path / "plans" / "half.yaml"
        path.write_text(
            "lifecycle: {kind: trial}\nspaces: {Sales: {access: {Analysts: [consumer]}}}\n"
            "apps: {Sales: {staging: Staging, publish_to: [Sales]}}\n"
        )
        tenantry.settings.check_plan(path)

    def test_an_empty_plan_is_valid(self, folder: Folder) -> None:
        path = folder.path / "plans" / "empty.yaml"
        path.write_text("# nothing yet\n")
        tenantry.settings.check_plan(path)

    def test_invalid_values_are_reported(self, folder: Folder) -> None:
        plan = "name: Globex\nspaces:\n  Sales:\n    type: shared\n    access:\n      A: [publisher]\n"
        assert self.problems(folder, plan) == [
            f"{PLAN}:1: name: unknown key; allowed: {PLAN_KEYS}",
            f'{PLAN}:6: spaces.Sales.access.A: a shared space has no role "publisher"; '
            "allowed: codeveloper, consumer, dataconsumer, facilitator, producer",
        ]

    def test_a_plan_that_is_not_a_mapping_is_refused(self, folder: Folder) -> None:
        assert self.problems(folder, "standard\n") == [
            f'{PLAN}:1: a plan is a mapping of {PLAN_KEYS_IN_ORDER}, not "standard"'
        ]

    def test_a_missing_file_is_an_error(self, folder: Folder) -> None:
        with pytest.raises(
            tenantry.settings.SettingsError, match="cannot be read: No such file or directory"
        ):
            tenantry.settings.check_plan(folder.path / "plans" / "none.yaml")
