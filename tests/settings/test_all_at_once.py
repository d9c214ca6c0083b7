"""All problems are reported at once, in order, but not those that only follow from others."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

import tenantry.settings
from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"


def test_all_problems_are_reported_at_once_in_the_order_of_lines(folder: Folder) -> None:
    folder.write(
        """
        alias: ab
        lifecycle: {kind: trail, grace_days: 5, ends_on: soon}
        colour: red
        groups:
          Analysts: {roles: [5, AnalyticsAdmin], description: All}
          Broken: 5
        spaces:
          Sales: {type: managed, access: {Analysts: [viewer], Broken: [consumer], Nobody: [5, consumer]}}
          No type: {access: {Nobody: [consumer]}}
        apps:
          Sales: {version: 2.10, staging: Sales, publish_to: [No type, 5, Nowhere]}
          Other: {template: x, staging: No type}
        """
    )
    paths = [line.split(": ")[0] + ": " + line.split(": ")[1] for line in folder.problems()]
    assert paths == [
        f"{FILE}:{place}"
        for place in [
            "6: customer.alias",
            "7: customer.lifecycle.ends_on",
            "7: customer.lifecycle.grace_days",
            "7: customer.lifecycle.kind",
            "8: customer.colour",
            "10: customer.groups.Analysts.description",
            "10: customer.groups.Analysts.roles[0]",
            "11: customer.groups.Broken",
            "13: customer.spaces.Sales.access.Analysts",
            "13: customer.spaces.Sales.access.Nobody",
            "13: customer.spaces.Sales.access.Nobody[0]",
            "14: customer.spaces.No type.access.Nobody",
            "14: customer.spaces.No type.type",
            "16: customer.apps.Sales.publish_to",
            "16: customer.apps.Sales.publish_to[1]",
            "16: customer.apps.Sales.staging",
            "16: customer.apps.Sales.template",
            "16: customer.apps.Sales.version",
            "17: customer.apps.Other.version",
        ]
    ]


@pytest.mark.parametrize(
    ("customer", "message"),
    [
        (
            "groups: 5\nspaces: {Sales: {type: managed, access: {Analysts: [consumer]}}}",
            "6: customer.groups: must be a mapping of keys, not 5",
        ),
        (
            "spaces: {S: {type: shared}}\napps: {A: {template_id: 77, version: '1', staging: S}}",
            '7: customer.apps.A.template_id: YAML reads 77 as a number; put it in quotes: template_id: "77"',
        ),
        (
            "spaces: {S: {type: Shared}}\napps: {A: {template: T, version: '1', staging: S}}",
            '6: customer.spaces.S.type: "Shared" is not allowed; the closest is "shared"; allowed: data, managed, shared',
        ),
        (
            "lifecycle: {kind: Trial, ends_on: soon}",
            '6: customer.lifecycle.ends_on: "soon" is not a date; write it as "2026-12-31"',
        ),
    ],
    ids=["a broken block", "a broken alternative", "a broken type", "a broken kind"],
)
def test_a_problem_that_follows_from_another_is_not_reported(
    folder: Folder, customer: str, message: str
) -> None:
    lines = folder.write(customer).problems()
    assert lines[0] == f"{FILE}:{message}"
    assert len(lines) == (2 if "lifecycle" in customer else 1)


def test_a_settings_error_has_its_problems_as_a_list(folder: Folder) -> None:
    folder.write("alias: ab")
    with pytest.raises(tenantry.settings.SettingsError) as caught:
        folder.load()
    assert caught.value.problems == (
        tenantry.settings.Problem(FILE, 6, "customer.alias", '"ab" has 2 characters; an alias has 3 to 63'),
    )


def test_a_name_conflict_is_reported_in_the_same_way_whatever_the_order_of_lines(folder: Folder) -> None:
    one, two = "A: {type: shared, name: Same}", "B: {type: managed, name: Same}"
    first = folder.write(f"spaces:\n  {one}\n  {two}").problems()
    second = folder.write(f"spaces:\n  {two}\n  {one}").problems()
    assert [line.replace(":8:", ":N:") for line in first] == [line.replace(":7:", ":N:") for line in second]
    assert "customer.spaces.B.name" in first[0]


@pytest.mark.parametrize(
    "customer",
    [
        "groups: {A: {name: Same, provider_type: custom}, B: {name: Same}}",
        "spaces: {A: {type: shared, name: Same}, B: {type: shared, name: same}}",
        "groups: {A: {renamed_from: Old}}\nspaces: {Old: {type: shared}}",
    ],
    ids=["groups of two provider types", "capitals differ", "same key in another block"],
)
def test_these_names_do_not_conflict(folder: Folder, customer: str) -> None:
    assert folder.write(customer).load()
