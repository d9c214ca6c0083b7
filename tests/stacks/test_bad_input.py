"""Every mistake is told by file, line and path: what is wrong, what is allowed, and what was likely meant."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

import stacks
from tests.stacks.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"
MANAGED = "basicconsumer, consumer, contributor, dataconsumer, facilitator, publisher"
CUSTOMER_KEYS = "alias, apps, groups, lifecycle, name, plan, protect, revive, spaces, tenant"

ONE_MISTAKE = [
    ("colour: red", f"6: customer.colour: unknown key; allowed: {CUSTOMER_KEYS}"),
    ("spaecs: {}", f'6: customer.spaecs: unknown key; did you mean "spaces"? allowed: {CUSTOMER_KEYS}'),
    ("Protect: true", f'6: customer.Protect: unknown key; did you mean "protect"? allowed: {CUSTOMER_KEYS}'),
    # A block, a list, a switch, a number and a text of the wrong type
    ("groups: [Analysts]", "6: customer.groups: must be a mapping of keys, not a list"),
    ("groups: {Analysts: admin}", '6: customer.groups.Analysts: must be a mapping of keys, not "admin"'),
    ("lifecycle: trial", '6: customer.lifecycle: must be a mapping of keys, not "trial"'),
    (
        "groups: {Analysts: {roles: Developer}}",
        '6: customer.groups.Analysts.roles: must be a list, as in [consumer, publisher], not "Developer"',
    ),
    ('protect: "yes"', '6: customer.protect: must be true or false, not "yes"'),
    ("protect: yes", '6: customer.protect: must be true or false, not "yes"'),
    ("protect: 1", "6: customer.protect: must be true or false, not 1"),
    ('lifecycle: {grace_days: "30"}', '6: customer.lifecycle.grace_days: must be a whole number, not "30"'),
    ("lifecycle: {grace_days: 30.5}", "6: customer.lifecycle.grace_days: must be a whole number, not 30.5"),
    ("lifecycle: {grace_days: true}", "6: customer.lifecycle.grace_days: must be a whole number, not true"),
    ("plan: [standard]", "6: customer.plan: must be text, not a list"),
    # Limits
    ("lifecycle: {grace_days: 5}", "6: customer.lifecycle.grace_days: 5 is out of range; allowed: 10 to 90"),
    (
        "lifecycle: {grace_days: 91}",
        "6: customer.lifecycle.grace_days: 91 is out of range; allowed: 10 to 90",
    ),
    ('plan: ""', "6: customer.plan: cannot be empty; leave the key out if there is nothing to say"),
    (
        f"groups: {{Analysts: {{roles: [{', '.join(f'R{n}' for n in range(101))}]}}}}",
        "6: customer.groups.Analysts.roles: has 101 entries; allowed: at most 100",
    ),
    ('alias: ""', '6: customer.alias: "" has 0 characters; an alias has 3 to 63'),
    ("alias: ab", '6: customer.alias: "ab" has 2 characters; an alias has 3 to 63'),
    (f"alias: {'a' * 64}", f'6: customer.alias: "{"a" * 64}" has 64 characters; an alias has 3 to 63'),
    (
        "alias: Globex",
        '6: customer.alias: "Globex" is no alias; allowed: a-z, 0-9 and hyphens, no hyphen at either end',
    ),
    (
        "alias: globex-",
        '6: customer.alias: "globex-" is no alias; allowed: a-z, 0-9 and hyphens, no hyphen at either end',
    ),
    (
        "alias: globex.eu.qlikcloud.com",
        '6: customer.alias: "globex.eu.qlikcloud.com" is more than a label; write "globex", '
        "the region's domain is added",
    ),
    # Lifecycle
    (
        "lifecycle: {kind: trail}",
        '6: customer.lifecycle.kind: "trail" is not allowed; did you mean "trial"? allowed: production, trial',
    ),
    (
        "lifecycle: {kind: trial}",
        '6: customer.lifecycle.ends_on: a trial needs its last day: ends_on: "2026-12-31"',
    ),
    (
        'lifecycle: {ends_on: "2026-12-31"}',
        "6: customer.lifecycle.ends_on: only a trial ends; set kind: trial, or leave ends_on out",
    ),
    (
        "lifecycle: {kind: trial, ends_on: soon}",
        '6: customer.lifecycle.ends_on: "soon" is no date; write it as "2026-12-31"',
    ),
    (
        'lifecycle: {kind: trial, ends_on: "2026-02-30"}',
        '6: customer.lifecycle.ends_on: "2026-02-30" is no date; write it as "2026-12-31"',
    ),
    (
        'lifecycle: {kind: trial, ends_on: "20261231"}',
        '6: customer.lifecycle.ends_on: "20261231" is no date; write it as "2026-12-31"',
    ),
    (
        "lifecycle: {kind: trial, ends_on: 20261231}",
        '6: customer.lifecycle.ends_on: 20261231 is no date; write it as "2026-12-31"',
    ),
    (
        "lifecycle: {kind: trial, ends_on: 2026-12-31T12:00:00Z}",
        '6: customer.lifecycle.ends_on: "2026-12-31 12:00:00 +0000 UTC" is no date; write it as "2026-12-31"',
    ),
    # Taking a tenant up again
    (
        "revive: old",
        '6: customer.revive: "old" is not allowed; write new, or a mapping of hostname and tenant_id',
    ),
    ("revive: {hostname: x.eu.qlikcloud.com}", "6: customer.revive.tenant_id: is missing"),
    (
        "revive: {hostname: x.us.qlikcloud.com, tenant_id: T1}",
        "6: customer.revive.hostname: x.us.qlikcloud.com is in region us, but qlik:region is eu",
    ),
    # Groups
    (
        "groups: {Analysts: {provider_type: Custom}}",
        '6: customer.groups.Analysts.provider_type: "Custom" is not allowed; did you mean "custom"? '
        "allowed: custom, idp",
    ),
    (
        "groups: {Analysts: {description: All of them}}",
        "6: customer.groups.Analysts.description: only a custom group has a description; leave it out, "
        "or set provider_type: custom",
    ),
    (
        "groups:\n  Analysts: {}\n  Others:\n    name: Analysts",
        '9: customer.groups.Others.name: name "Analysts" is taken by group "Analysts", also of provider_type idp; '
        "names must differ",
    ),
    (
        f"groups:\n  {'x' * 257}: {{}}",
        f'7: customer.groups.{"x" * 257}: "{"x" * 20}…" has 257 characters; a name has at most 256',
    ),
    ('groups: {Analysts: {name: " "}}', "6: customer.groups.Analysts.name: a name cannot be empty"),
    (
        "groups:\n  A: {renamed_from: B}\n  B: {}",
        '7: customer.groups.A.renamed_from: "B" is still a key under groups; '
        "a renamed entry has one key, the new one",
    ),
    (
        "groups:\n  A: {renamed_from: C}\n  B: {renamed_from: C}",
        '8: customer.groups.B.renamed_from: "C" was already renamed to "A"',
    ),
    # Spaces
    ("spaces: {Sales: {}}", "6: customer.spaces.Sales.type: is missing; allowed: data, managed, shared"),
    (
        "spaces: {Sales: {type: manged}}",
        '6: customer.spaces.Sales.type: "manged" is not allowed; did you mean "managed"? '
        "allowed: data, managed, shared",
    ),
    (
        "spaces: {Sales: {type: shared, acces: {}}}",
        '6: customer.spaces.Sales.acces: unknown key; did you mean "access"? '
        "allowed: access, adopt, description, name, renamed_from, type",
    ),
    (
        "spaces:\n  Sales/EU: {type: shared}",
        '7: customer.spaces.Sales/EU: "Sales/EU" has / in it; '
        'the name of a space cannot hold any of " * ? < > / | \\ :',
    ),
    (
        "spaces:\n  Sales:\n    type: shared\n    name: 'Sales: *all*'",
        '9: customer.spaces.Sales.name: "Sales: *all*" has * : in it; '
        'the name of a space cannot hold any of " * ? < > / | \\ :',
    ),
    (
        f"spaces:\n  Sales: {{type: shared, name: {'y' * 257}}}",
        f'7: customer.spaces.Sales.name: "{"y" * 20}…" has 257 characters; a name has at most 256',
    ),
    (
        "spaces:\n  Sales: {type: shared}\n  Zales: {type: managed, name: Sales}",
        '8: customer.spaces.Zales.name: name "Sales" is taken by space "Sales"; names must differ',
    ),
    (
        "groups: {Analysts: {}}\nspaces:\n  Sales:\n    type: managed\n    access:\n      Analysts:\n      - viewer",
        '12: customer.spaces.Sales.access.Analysts: role "viewer" is not one that a managed space knows; '
        f"allowed: {MANAGED}",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: managed, access: {Analysts: [Consumer]}}}",
        '7: customer.spaces.Sales.access.Analysts: role "Consumer" is not one that a managed space knows; '
        f'did you mean "consumer"? allowed: {MANAGED}',
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: shared, access: {Analysts: [publisher]}}}",
        '7: customer.spaces.Sales.access.Analysts: role "publisher" is not one that a shared space knows; '
        "allowed: codeveloper, consumer, dataconsumer, facilitator, producer",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: data, access: {Analysts: [basicconsumer]}}}",
        '7: customer.spaces.Sales.access.Analysts: role "basicconsumer" is not one that a data space knows; '
        'did you mean "consumer"? '
        "allowed: consumer, dataconsumer, datapreview, facilitator, operator, producer, publisher",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: managed, access: {Analysts: []}}}",
        "7: customer.spaces.Sales.access.Analysts: cannot be empty; leave the key out if there is nothing to say",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: managed, access: {Analyst: [consumer]}}}",
        '7: customer.spaces.Sales.access.Analyst: group "Analyst" is not declared under groups; '
        'did you mean "Analysts"? allowed: Analysts',
    ),
    (
        "spaces: {Sales: {type: managed, access: {Analysts: [consumer]}}}",
        '6: customer.spaces.Sales.access.Analysts: group "Analysts" is not declared under groups',
    ),
]

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
        "11: customer.apps.A.template: which app is it made from? give template (its exact name) or template_id",
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
        '11: customer.apps.A.version: "v2.3.0" is the mark; write the version alone: "2.3.0"',
    ),
    (
        "  A: {template: T, staging: Staging, version: '{v2.3.0}'}",
        '11: customer.apps.A.version: "{v2.3.0}" is the mark; write the version alone: "2.3.0"',
    ),
    (
        "  A: {template: T, staging: Staging, version: latest one}",
        '11: customer.apps.A.version: "latest one" is no version; allowed: letters, digits and . + _ - between '
        'them, for example "2.3.0"',
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
        '11: customer.apps.A.staging: space "Stagin" is not declared under spaces; did you mean "Staging"? '
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
]


@pytest.mark.parametrize(("customer", "told"), ONE_MISTAKE, ids=[told[:60] for _, told in ONE_MISTAKE])
def test_one_mistake_is_one_line(folder: Folder, customer: str, told: str) -> None:
    assert folder.write(customer).problems() == [f"{FILE}:{told}"]


@pytest.mark.parametrize(("app", "told"), BAD_APPS, ids=[told[:60] for _, told in BAD_APPS])
def test_one_mistake_in_an_app_is_one_line(folder: Folder, app: str, told: str) -> None:
    assert folder.write(APPS + app).problems() == [f"{FILE}:{told}"]


HEADS = [
    (
        "config:\n  qlik:source_tenant: t.eu.qlikcloud.com\n  tenantry:customer: {name: Globex}\n",
        ["1: qlik:region: is missing; for example qlik:region: eu"],
    ),
    (
        "config:\n  qlik:region: eu\n  tenantry:customer: {name: Globex}\n",
        ["1: qlik:source_tenant: is missing; for example qlik:source_tenant: templates.eu.qlikcloud.com"],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n",
        ["1: customer: is missing; for example tenantry:customer: {name: Globex, plan: standard}"],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n  tenantry:customer: {}\n",
        ["4: customer.name: is missing"],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n  tenantry:customer: Globex\n",
        ['4: customer: must be a mapping of keys, not "Globex"'],
    ),
    (
        "config:\n  qlik:region: us\n  qlik:source_tenant: t.eu.qlikcloud.com\n"
        "  tenantry:customer: {name: Globex}\n",
        ["3: qlik:source_tenant: t.eu.qlikcloud.com is in region eu, but qlik:region is us"],
    ),
    (
        "config:\n  qlik:region: Europe\n  qlik:source_tenant: t.eu.qlikcloud.com\n"
        "  tenantry:customer: {name: Globex}\n",
        ['2: qlik:region: "Europe" is no region of Qlik Cloud; known: ap, de, eu, jp, sg, uk, us'],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: https://t.eu.qlikcloud.com/console\n"
        "  tenantry:customer: {name: Globex}\n",
        [
            '3: qlik:source_tenant: "https://t.eu.qlikcloud.com/console" is no hostname of a tenant; '
            "write t.eu.qlikcloud.com"
        ],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: templates\n  tenantry:customer: {name: Globex}\n",
        [
            '3: qlik:source_tenant: "templates" is no hostname of a tenant; '
            "write <tenant>.<region>.qlikcloud.com"
        ],
    ),
    (
        "config:\n  qlik:regoin: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n"
        "  tenantry:customer: {name: Globex}\n",
        [
            "1: qlik:region: is missing; for example qlik:region: eu",
            '2: qlik:regoin: unknown key; did you mean "qlik:region"? '
            "allowed: qlik:region, qlik:source_tenant, tenantry:customer",
        ],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n"
        "  tenantry:customer:\n    name: Globex\n    alias: {secure: v1:abc}\n",
        [
            "6: customer.alias: an encrypted value here would lie in the state in plain text; "
            "keep it in a key of its own, tenantry:secrets_<name>",
            "6: customer.alias: must be text, not a mapping",
        ],
    ),
]


@pytest.mark.parametrize(("text", "told"), HEADS, ids=[told[-1][:60] for _, told in HEADS])
def test_mistakes_outside_the_customer(folder: Folder, text: str, told: list[str]) -> None:
    assert folder.write(head=text).problems() == [f"{FILE}:{line}" for line in told]


def test_a_stack_file_that_is_no_yaml(folder: Folder) -> None:
    """The parser's own words follow, and differ between its two builds."""
    [told] = folder.write("alias: globex\n  plan: standard").problems()
    assert told.startswith(f"{FILE}:7: this is no YAML: ")
    assert told.endswith("(column 11)")


def test_a_stack_file_that_is_not_there(folder: Folder) -> None:
    assert folder.problems() == [f"{FILE}: cannot be read: No such file or directory"]


def test_a_stack_file_that_is_not_text(folder: Folder) -> None:
    folder.stack_file.write_bytes(b"config: \xff\n")
    assert folder.problems() == [f"{FILE}: this file is not UTF-8 text"]


def test_all_problems_are_told_at_once_in_the_order_of_lines(folder: Folder) -> None:
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
    ("customer", "told"),
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
            '6: customer.spaces.S.type: "Shared" is not allowed; did you mean "shared"? allowed: data, managed, shared',
        ),
        (
            "lifecycle: {kind: Trial, ends_on: soon}",
            '6: customer.lifecycle.ends_on: "soon" is no date; write it as "2026-12-31"',
        ),
    ],
    ids=["a broken block", "a broken alternative", "a broken type", "a broken kind"],
)
def test_what_only_follows_from_a_mistake_is_not_told(folder: Folder, customer: str, told: str) -> None:
    lines = folder.write(customer).problems()
    assert lines[0] == f"{FILE}:{told}"
    assert len(lines) == (2 if "lifecycle" in customer else 1)


def test_an_entry_that_is_listed_twice_is_told_in_its_second_line(folder: Folder) -> None:
    app = "  A:\n    template: T\n    version: '1'\n    staging: Staging\n    publish_to:\n    - Sales\n    - Sales"
    told = folder.write(APPS + app).problems()
    assert told == [f'{FILE}:17: customer.apps.A.publish_to: space "Sales" is listed twice']


def test_problems_can_be_read_one_by_one(folder: Folder) -> None:
    folder.write("alias: ab")
    with pytest.raises(stacks.SettingsError) as caught:
        folder.load()
    assert caught.value.problems == (
        stacks.Problem(FILE, 6, "customer.alias", '"ab" has 2 characters; an alias has 3 to 63'),
    )


def test_clashes_are_told_alike_whatever_the_order_of_lines(folder: Folder) -> None:
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
def test_what_is_no_clash(folder: Folder, customer: str) -> None:
    assert folder.write(customer).load()


def test_apps_of_one_name_may_not_meet_in_a_managed_space(folder: Folder) -> None:
    apps = """
    spaces: {S1: {type: shared}, S2: {type: shared}, M1: {type: managed}, M2: {type: managed}}
    apps:
      A: {name: Same, template: T, version: "1", staging: S1, publish_to: [M1, M2]}
      B: {name: Same, template: T, version: "1", staging: S2, publish_to: [%s]}
    """
    told = [f'{FILE}:9: customer.apps.B.name: name "Same" is taken by app "A", also published into "M2"; '
            "names must differ"]  # fmt: skip
    assert folder.write(apps % "M2").problems() == told
    assert folder.write(apps % "").load()
