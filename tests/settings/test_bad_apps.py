"""Mistakes in apps: in templates, in versions, and in the spaces that they use."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"

APPS = """
spaces:
  Staging: {type: shared}
  Sales: {type: managed}
  Lake: {type: data}
apps:
"""
SALES = '  Sales: {template: Sales, version: "1.0", staging: Staging, '

BAD_APPS = [
    ("  A: {template: T, staging: Staging}", "11: customer.apps.A.version: is missing"),
    ('  A: {template: T, version: "1"}', "11: customer.apps.A.staging: is missing"),
    (
        '  A: {version: "1", staging: Staging}',
        "11: customer.apps.A.template: template (its exact name) or template_id is required",
    ),
    (
        f"{SALES}template_id: 1a2b}}",
        "11: customer.apps.Sales.template_id: give template or template_id, not both",
    ),
    (
        "  A:\n    template: T\n    staging: Staging\n    version: 2.10",
        '14: customer.apps.A.version: YAML reads 2.10 as a number; put it in quotes: version: "2.10"',
    ),
    (
        "  A: {template: T, staging: Staging, version: 2026-01-15}",
        '11: customer.apps.A.version: YAML reads this version as a date; put it in quotes: version: "2026-01-15"',
    ),
    (
        "  A: {template: T, staging: Staging, version: v2.3.0}",
        '11: customer.apps.A.version: "v2.3.0" is the mark; write only the version: "2.3.0"',
    ),
    (
        "  A: {template: T, staging: Staging, version: '{v2.3.0}'}",
        '11: customer.apps.A.version: "{v2.3.0}" is the mark; write only the version: "2.3.0"',
    ),
    (
        "  A: {template: T, staging: Staging, version: latest one}",
        '11: customer.apps.A.version: "latest one" is not a version; allowed: letters, digits and . + _ - between '
        'them, as in "2.3.0"',
    ),
    (
        "  A: {template: 2024, staging: Staging, version: '1'}",
        '11: customer.apps.A.template: YAML reads 2024 as a number; put it in quotes: template: "2024"',
    ),
    (
        "  A: {template: T, version: '1', staging: Sales}",
        '11: customer.apps.A.staging: "Sales" is a managed space, but apps are imported into a shared one; '
        "shared spaces: Staging",
    ),
    (
        "  A: {template: T, version: '1', staging: Stagin}",
        '11: customer.apps.A.staging: space "Stagin" is not declared under spaces; the closest is "Staging"; '
        "allowed: Staging",
    ),
    (
        f"{SALES}publish_to: [Staging]}}",
        '11: customer.apps.Sales.publish_to: "Staging" is a shared space, but apps are published into a managed '
        "one; managed spaces: Sales",
    ),
    (
        f"{SALES}publish_to: [Lake]}}",
        '11: customer.apps.Sales.publish_to: "Lake" is a data space, but apps are published into a managed one; '
        "managed spaces: Sales",
    ),
    (
        "  A:\n    template: T\n    version: '1'\n    staging: Staging\n    publish_to:\n    - Sales\n    - Nowhere",
        '17: customer.apps.A.publish_to: space "Nowhere" is not declared under spaces; allowed: Sales',
    ),
    (
        f"{SALES}publish_to: [Sales, Sales]}}",
        '11: customer.apps.Sales.publish_to: space "Sales" is listed twice',
    ),
    (
        f"{SALES}}}\n  Two: {{name: Sales, template: Sales, version: '2', staging: Staging}}",
        '12: customer.apps.Two.name: name "Sales" is taken by app "Sales", also imported into "Staging"; '
        "names must differ",
    ),
    (
        f"{SALES}publish_to: [Sales], expect: {{tables: {{Orders: 1}}}}}}",
        "11: customer.apps.Sales.expect.tables: unknown key; allowed: distinct_values, field_comments, "
        "reloaded_within_hours, rows",
    ),
    (
        f"{SALES}publish_to: [Sales], expect: 5}}",
        "11: customer.apps.Sales.expect: must be a mapping of keys, not 5",
    ),
    (
        f"{SALES}publish_to: [Sales], expect: {{rows: {{Orders: -1}}}}}}",
        "11: customer.apps.Sales.expect.rows.Orders: -1 is out of range; allowed: 0 to 1000000000000",
    ),
    (
        f"{SALES}publish_to: [Sales], expect: {{rows: [Orders]}}}}",
        "11: customer.apps.Sales.expect.rows: must be a mapping of keys, not a list",
    ),
    (
        f"{SALES}publish_to: [Sales], expect: {{distinct_values: {{Customer: one}}}}}}",
        '11: customer.apps.Sales.expect.distinct_values.Customer: must be a whole number, not "one"',
    ),
    (
        f"{SALES}publish_to: [Sales], expect: {{field_comments: {{Customer: 4711}}}}}}",
        "11: customer.apps.Sales.expect.field_comments.Customer: YAML reads 4711 as a number; put it in quotes: "
        'Customer: "4711"',
    ),
    (
        f"{SALES}publish_to: [Sales], expect: {{reloaded_within_hours: 0}}}}",
        "11: customer.apps.Sales.expect.reloaded_within_hours: 0 is out of range; allowed: 1 to 8760",
    ),
    (
        f"{SALES}expect: {{}}}}",
        "11: customer.apps.Sales.expect: smoke checks published apps, but this app is not published; "
        "add publish_to",
    ),
]


@pytest.mark.parametrize(("app", "expected"), BAD_APPS, ids=[expected[:60] for _, expected in BAD_APPS])
def test_a_mistake_in_an_app_is_reported_in_one_line(folder: Folder, app: str, expected: str) -> None:
    assert folder.write(APPS + app).problems() == [f"{FILE}:{expected}"]


def test_a_duplicate_entry_is_reported_at_its_second_line(folder: Folder) -> None:
    app = "  A:\n    template: T\n    version: '1'\n    staging: Staging\n    publish_to:\n    - Sales\n    - Sales"
    problems = folder.write(APPS + app).problems()
    assert problems == [f'{FILE}:17: customer.apps.A.publish_to: space "Sales" is listed twice']


def test_a_plan_can_expect_data_of_an_app_that_only_its_customers_publish(folder: Folder) -> None:
    plan = "apps: {A: {template: T, version: '1', staging: S, expect: {rows: {Orders: 5, Items: 1}}}}"
    customer = """
    plan: team
    spaces: {S: {type: shared}, M: {type: managed}}
    apps: {A: {publish_to: [M], expect: {rows: {Orders: 7, Items: }}}}
    """
    expect = folder.write(customer, team=plan).customer().apps["A"].expect
    assert expect is not None
    assert expect.rows == {"Orders": 7}


def test_two_apps_with_one_name_cannot_be_published_in_one_space(folder: Folder) -> None:
    apps = """
    spaces: {S1: {type: shared}, S2: {type: shared}, M1: {type: managed}, M2: {type: managed}}
    apps:
      A: {name: Same, template: T, version: "1", staging: S1, publish_to: [M1, M2]}
      B: {name: Same, template: T, version: "1", staging: S2, publish_to: [%s]}
    """
    expected = [f'{FILE}:9: customer.apps.B.name: name "Same" is taken by app "A", also published into "M2"; '
            "names must differ"]  # fmt: skip
    assert folder.write(apps % "M2").problems() == expected
    assert folder.write(apps % "").load()
