"""Each problem has its file, line and path, and says what is wrong, what is allowed, and the closest name."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"
MANAGED = "basicconsumer, consumer, contributor, dataconsumer, facilitator, publisher"
CUSTOMER_KEYS = (
    "admins, alias, apps, automations, brands, csp_origins, data_connections, data_files, extensions, group_settings, "
    "groups, jwt_identity_providers, license_settings, lifecycle, name, oauth_clients, oidc_identity_providers, "
    "pinned_links, plan, protect, reload_tasks, revive, ring, saml_identity_providers, spaces, tags, tenant, themes, "
    "users, web_integrations, webhooks"
)

ONE_MISTAKE = [
    ("colour: red", f"6: customer.colour: unknown key; allowed: {CUSTOMER_KEYS}"),
    ("spaecs: {}", f'6: customer.spaecs: unknown key; the closest is "spaces"; allowed: {CUSTOMER_KEYS}'),
    (
        "Protect: true",
        f'6: customer.Protect: unknown key; the closest is "protect"; allowed: {CUSTOMER_KEYS}',
    ),
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
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: managed, access: {Analysts: 5}}}",
        "7: customer.spaces.Sales.access.Analysts: must be a list, as in [consumer, publisher], not 5",
    ),
    ("plan: [standard]", "6: customer.plan: must be text, not a list"),
    # Limits
    ("lifecycle: {grace_days: 5}", "6: customer.lifecycle.grace_days: 5 is out of range; allowed: 10 to 90"),
    (
        "lifecycle: {grace_days: 91}",
        "6: customer.lifecycle.grace_days: 91 is out of range; allowed: 10 to 90",
    ),
    ('plan: ""', "6: customer.plan: cannot be empty; remove the key if you do not need it"),
    (
        f"groups: {{Analysts: {{roles: [{', '.join(f'R{n}' for n in range(101))}]}}}}",
        "6: customer.groups.Analysts.roles: has 101 entries; allowed: at most 100",
    ),
    ('alias: ""', '6: customer.alias: "" has 0 characters; an alias has 3 to 63'),
    ("alias: ab", '6: customer.alias: "ab" has 2 characters; an alias has 3 to 63'),
    (f"alias: {'a' * 64}", f'6: customer.alias: "{"a" * 64}" has 64 characters; an alias has 3 to 63'),
    (
        "alias: Globex",
        '6: customer.alias: "Globex" is not an alias; allowed: a-z, 0-9 and hyphens, no hyphen at either end',
    ),
    (
        "alias: globex-",
        '6: customer.alias: "globex-" is not an alias; allowed: a-z, 0-9 and hyphens, no hyphen at either end',
    ),
    (
        "alias: globex.eu.qlikcloud.com",
        '6: customer.alias: "globex.eu.qlikcloud.com" contains a dot; write "globex": '
        "Tenantry adds the domain of the region",
    ),
    # Lifecycle
    (
        "lifecycle: {kind: trail}",
        '6: customer.lifecycle.kind: "trail" is not allowed; the closest is "trial"; allowed: production, trial',
    ),
    (
        "lifecycle: {kind: trial}",
        '6: customer.lifecycle.ends_on: is required for a trial, for example ends_on: "2026-12-31"',
    ),
    (
        'lifecycle: {ends_on: "2026-12-31"}',
        "6: customer.lifecycle.ends_on: only a trial has an end; set kind: trial, or remove ends_on",
    ),
    (
        "lifecycle: {kind: trial, ends_on: soon}",
        '6: customer.lifecycle.ends_on: "soon" is not a date; write it as "2026-12-31"',
    ),
    (
        'lifecycle: {kind: trial, ends_on: "2026-02-30"}',
        '6: customer.lifecycle.ends_on: "2026-02-30" is not a date; write it as "2026-12-31"',
    ),
    (
        'lifecycle: {kind: trial, ends_on: "20261231"}',
        '6: customer.lifecycle.ends_on: "20261231" is not a date; write it as "2026-12-31"',
    ),
    (
        "lifecycle: {kind: trial, ends_on: 20261231}",
        '6: customer.lifecycle.ends_on: 20261231 is not a date; write it as "2026-12-31"',
    ),
    (
        "lifecycle: {kind: trial, ends_on: 2026-12-31T12:00:00Z}",
        '6: customer.lifecycle.ends_on: "2026-12-31 12:00:00 +0000 UTC" is not a date; write it as "2026-12-31"',
    ),
    # Reviving a tenant
    (
        "revive: new",
        '6: customer.revive: must be a mapping of hostname and tenant_id, not "new"',
    ),
    ("revive: []", "6: customer.revive: must be a mapping of hostname and tenant_id, not a list"),
    ("revive: {hostname: x.eu.qlikcloud.com}", "6: customer.revive.tenant_id: is missing"),
    (
        "revive: {hostname: x.us.qlikcloud.com, tenant_id: T1}",
        "6: customer.revive.hostname: x.us.qlikcloud.com is in region us, but qlik:region is eu",
    ),
    # Groups
    (
        "groups: {Analysts: {provider_type: Custom}}",
        '6: customer.groups.Analysts.provider_type: "Custom" is not allowed; the closest is "custom"; '
        "allowed: custom, idp",
    ),
    (
        "groups: {Analysts: {description: All of them}}",
        "6: customer.groups.Analysts.description: only a custom group has a description; remove it, "
        "or set provider_type: custom",
    ),
    (
        "groups:\n  Analysts: {}\n  Others:\n    name: Analysts",
        '9: customer.groups.Others.name: name "Analysts" is taken by group "Analysts", which has the same provider_type (idp); '
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
        "a renamed entry has only its new key",
    ),
    (
        "groups:\n  A: {renamed_from: [C, D]}\n  B: {renamed_from: [D]}",
        '8: customer.groups.B.renamed_from: "D" was already renamed to "A"',
    ),
    (
        "groups:\n  A: {renamed_from: C}\n  B: {renamed_from: C}",
        '8: customer.groups.B.renamed_from: "C" was already renamed to "A"',
    ),
    # Settings of the tenant
    (
        "group_settings: {auto_create: true}",
        '6: customer.group_settings.auto_create: unknown key; the closest is "auto_create_groups"; '
        "allowed: auto_create_groups, everyone_roles, sync_idp_groups",
    ),
    (
        "group_settings: {everyone_roles: Steward}",
        "6: customer.group_settings.everyone_roles: must be a list, as in [consumer, publisher], "
        'not "Steward"',
    ),
    (
        "license_settings: {auto_assign_analyzer: 1}",
        "6: customer.license_settings.auto_assign_analyzer: must be true or false, not 1",
    ),
    # CSP origins
    ("csp_origins: {Maps: {img_src: true}}", "6: customer.csp_origins.Maps.origin: is missing"),
    (
        "csp_origins: {Maps: {origin: 'https://maps.example/tiles', img_src: true}}",
        '6: customer.csp_origins.Maps.origin: "https://maps.example/tiles" is not an origin of a content '
        "security policy, which has no path; write https://maps.example",
    ),
    (
        "csp_origins: {Maps: {origin: maps.example, img_src: 'yes'}}",
        '6: customer.csp_origins.Maps.img_src: must be true or false, not "yes"',
    ),
    (
        "csp_origins: {Maps: {origin: maps.example}}",
        "6: customer.csp_origins.Maps: allows nothing; set at least one of child_src, connect_src, "
        "connect_src_wss, font_src, form_action, frame_ancestors, frame_src, img_src, media_src, object_src, "
        "script_src, style_src, worker_src to true",
    ),
    (
        "csp_origins:\n  A: {origin: a.example, img_src: true}\n  B: {origin: a.example, font_src: true}",
        '8: customer.csp_origins.B.origin: "a.example" is also the origin of "A"; combine the two entries',
    ),
    (
        "csp_origins: {A: {origin: a.example, img_src: true, description: '" + "x" * 1025 + "'}}",
        "6: customer.csp_origins.A.description: has 1025 characters; allowed: 1024 characters at most",
    ),
    (
        "csp_origins: {"
        + ", ".join(f"{n}: {{origin: {n}.example, img_src: true}}" for n in range(257))
        + "}",
        "6: customer.csp_origins: has 257 entries; Qlik allows 256 per tenant",
    ),
    (
        "csp_origins: {"
        + ", ".join(f"{n}: {{origin: {n:0242}.example, img_src: true}}" for n in range(100, 125))
        + "}",
        "6: customer.csp_origins: makes a header of 6275 characters (each origin once for each directive that is "
        "true); Qlik allows 6144",
    ),
    # Pinned links
    (
        "pinned_links: {Help: {link: 'http://help.example'}}",
        '6: customer.pinned_links.Help.link: "http://help.example" is not an address that Qlik accepts; write it as '
        "https://help.example.com/start",
    ),
    (
        "pinned_links: {" + "x" * 51 + ": {link: 'https://help.example'}}",
        f"6: customer.pinned_links.{'x' * 51}: has 51 characters; allowed: 1 to 50 characters",
    ),
    (
        "pinned_links: {" + ", ".join(f"L{n}: {{link: 'https://help.example'}}" for n in range(51)) + "}",
        "6: customer.pinned_links: has 51 entries; Qlik allows 50 per tenant",
    ),
    # Web integrations
    ("web_integrations: {Portal: {}}", "6: customer.web_integrations.Portal.origins: is missing"),
    (
        "web_integrations: {Portal: {origins: []}}",
        "6: customer.web_integrations.Portal.origins: cannot be empty; remove the key if you do not need it",
    ),
    (
        'web_integrations:\n  Portal:\n    origins:\n    - https://a.example\n    - "https://*.example"',
        '10: customer.web_integrations.Portal.origins[1]: "https://*.example" has a wildcard, which Qlik '
        "does not accept; list each origin",
    ),
    (
        "web_integrations: {Portal: {origins: [https://a.example/app]}}",
        '6: customer.web_integrations.Portal.origins[0]: "https://a.example/app" is not an origin, which is '
        "scheme://host[:port] without a path; write https://a.example",
    ),
    (
        "web_integrations:\n  A: {origins: [https://a.example]}\n  B: {name: A, origins: [https://b.example]}",
        '8: customer.web_integrations.B.name: name "A" is taken by web integration "A"; names must differ',
    ),
    (
        "web_integrations:\n  A: {origins: [https://a.example], renamed_from: B}\n"
        "  B: {origins: [https://b.example]}",
        '7: customer.web_integrations.A.renamed_from: "B" is still a key under web_integrations; '
        "a renamed entry has only its new key",
    ),
    # Spaces
    ("spaces: {Sales: {}}", "6: customer.spaces.Sales.type: is missing; allowed: data, managed, shared"),
    (
        "spaces: {Sales: {type: manged}}",
        '6: customer.spaces.Sales.type: "manged" is not allowed; the closest is "managed"; '
        "allowed: data, managed, shared",
    ),
    (
        "spaces: {Sales: {type: shared, acces: {}}}",
        '6: customer.spaces.Sales.acces: unknown key; the closest is "access"; '
        "allowed: access, adopt, bot_access, description, name, owner, protect, renamed_from, type, user_access",
    ),
    (
        "spaces:\n  Sales/EU: {type: shared}",
        '7: customer.spaces.Sales/EU: "Sales/EU" contains /; '
        'the name of a space cannot contain any of " * ? < > / | \\ :',
    ),
    (
        "spaces:\n  Sales:\n    type: shared\n    name: 'Sales: *all*'",
        '9: customer.spaces.Sales.name: "Sales: *all*" contains * :; '
        'the name of a space cannot contain any of " * ? < > / | \\ :',
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
        '12: customer.spaces.Sales.access.Analysts: a managed space has no role "viewer"; '
        f"allowed: {MANAGED}",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: managed, access: {Analysts: [Consumer]}}}",
        '7: customer.spaces.Sales.access.Analysts: a managed space has no role "Consumer"; '
        f'the closest is "consumer"; allowed: {MANAGED}',
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: shared, access: {Analysts: [publisher]}}}",
        '7: customer.spaces.Sales.access.Analysts: a shared space has no role "publisher"; '
        "allowed: codeveloper, consumer, dataconsumer, facilitator, producer",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: data, access: {Analysts: [basicconsumer]}}}",
        '7: customer.spaces.Sales.access.Analysts: a data space has no role "basicconsumer"; '
        'the closest is "consumer"; '
        "allowed: consumer, dataconsumer, datapreview, facilitator, operator, producer, publisher",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: managed, access: {Analysts: []}}}",
        "7: customer.spaces.Sales.access.Analysts: cannot be empty; remove the key if you do not need it",
    ),
    (
        "groups: {Analysts: {}}\nspaces: {Sales: {type: managed, access: {Analyst: [consumer]}}}",
        '7: customer.spaces.Sales.access.Analyst: group "Analyst" is not declared under groups; '
        'the closest is "Analysts"; allowed: Analysts',
    ),
    (
        "spaces: {Sales: {type: managed, access: {Analysts: [consumer]}}}",
        '6: customer.spaces.Sales.access.Analysts: group "Analysts" is not declared under groups',
    ),
]


@pytest.mark.parametrize(
    ("customer", "expected"), ONE_MISTAKE, ids=[expected[:60] for _, expected in ONE_MISTAKE]
)
def test_a_mistake_is_reported_in_one_line(folder: Folder, customer: str, expected: str) -> None:
    assert folder.write(customer).problems() == [f"{FILE}:{expected}"]
