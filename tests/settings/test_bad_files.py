"""Mistakes in a stack file outside its customer, and files that cannot be read."""

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"

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
        ['2: qlik:region: "Europe" is not a region of Qlik Cloud; known: ap, de, eu, jp, sg, uk, us'],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: https://t.eu.qlikcloud.com/console\n"
        "  tenantry:customer: {name: Globex}\n",
        [
            '3: qlik:source_tenant: "https://t.eu.qlikcloud.com/console" is not a tenant hostname; '
            "write t.eu.qlikcloud.com"
        ],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: templates\n  tenantry:customer: {name: Globex}\n",
        [
            '3: qlik:source_tenant: "templates" is not a tenant hostname; '
            "write <tenant>.<region>.qlikcloud.com"
        ],
    ),
    (
        "config:\n  qlik:regoin: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n"
        "  tenantry:customer: {name: Globex}\n",
        [
            "1: qlik:region: is missing; for example qlik:region: eu",
            '2: qlik:regoin: unknown key; the closest is "qlik:region"; '
            "allowed: qlik:region, qlik:source_tenant, tenantry:customer",
        ],
    ),
    (
        "config:\n  qlik:region: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n"
        "  tenantry:customer:\n    name: Globex\n    alias: {secure: v1:abc}\n",
        [
            "6: customer.alias: an encrypted value here would be in the state in plain text; "
            "keep it in its own key, tenantry:secrets_<name>",
            "6: customer.alias: must be text, not a mapping",
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), HEADS, ids=[expected[-1][:60] for _, expected in HEADS])
def test_mistakes_outside_the_customer_are_reported(folder: Folder, text: str, expected: list[str]) -> None:
    assert folder.write(head=text).problems() == [f"{FILE}:{line}" for line in expected]


def test_a_stack_file_that_is_not_yaml_is_refused(folder: Folder) -> None:
    """The end of the message comes from the parser, whose two builds word it differently."""
    [problem] = folder.write("alias: globex\n  plan: standard").problems()
    assert problem.startswith(f"{FILE}:7: this is not valid YAML: ")
    assert problem.endswith("(column 11)")


def test_a_missing_stack_file_is_a_problem(folder: Folder) -> None:
    assert folder.problems() == [f"{FILE}: cannot be read: No such file or directory"]


def test_a_stack_file_that_is_not_utf_8_is_refused(folder: Folder) -> None:
    folder.stack_file.write_bytes(b"config: \xff\n")
    assert folder.problems() == [f"{FILE}: this file is not UTF-8 text"]
