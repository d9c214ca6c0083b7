"""Tests of `tenantry check`: templates and administrators on the source tenant."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from tenantry.providers.lookups.preflight import FoundTemplate, Preflight
from tests.checks.bench import CUSTOMER, SOURCE, Bench
from tests.world import World

TEMPLATES = [
    (
        {"version": "9.9"},
        "error templates: Pulumi.globex.yaml:23: customer.apps.Sales.template: template 'Sales Overview', "
        f"version 9.9, on {SOURCE}: the app is there, but not in that version. Versions found: 2.3.0, 2.4.0 "
        "(a template's version is `{v…}` at the end of its description).",
    ),
    (
        {"template": "Board Report", "version": "1.0.0"},
        "error templates: Pulumi.globex.yaml:23: customer.apps.Sales.template: template 'Board Report', "
        f"version 1.0.0, on {SOURCE}: this client cannot export it. Give its bot user an edit role, such as `producer`, in space ",
    ),
    (
        {"template": "sales overview"},
        "error templates: Pulumi.globex.yaml:23: customer.apps.Sales.template: template 'sales overview', version 2.3.0, on "
        f"{SOURCE}: this client finds no such app. The name must be exact, and the client's bot user must be a member of "
        "the template's space.",
    ),
]


@pytest.mark.parametrize(("change", "expected"), TEMPLATES, ids=["version", "not exportable", "name"])
def test_an_unusable_template_is_an_error(bench: Bench, change: dict[str, str], expected: str) -> None:
    [finding] = bench.problems(apps={"Sales": CUSTOMER["apps"]["Sales"] | change})
    assert finding.startswith(expected)


def test_two_templates_with_one_name_and_version_are_an_error(bench: Bench) -> None:
    source = World(bench.qlik, SOURCE)
    space = source.spaces["Templates"]["id"]
    source.join(space)
    attributes = {"name": "Sales Overview", "description": "Copy {v2.3.0}", "spaceId": space}
    source.request("POST", "apps", {"attributes": attributes})
    [problem] = bench.problems()
    assert "2 apps match. Select one with `template_id`" in problem


def test_a_template_that_qlik_refuses_cannot_be_exported(bench: Bench) -> None:
    bench.qlik.control.add_fault(host=SOURCE, path="/api/v1/apps/*", status=403, body={"errors": []})
    [finding] = bench.problems()
    assert "this client cannot export it" in finding


def test_a_template_whose_space_the_bot_may_join_is_accepted(bench: Bench) -> None:
    """`up` joins the space. The check only reads."""
    app = CUSTOMER["apps"]["Sales"] | {"template": "Board Report", "version": "1.0.0"}
    assert bench.problems(apps={"Sales": app | {"join_template_space": True}}) == []


def test_the_bot_cannot_join_the_personal_space_of_a_template(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Preflight, "template", lambda *_: FoundTemplate(None, False))
    [finding] = bench.problems(apps={"Sales": CUSTOMER["apps"]["Sales"] | {"join_template_space": True}})
    assert finding.endswith(
        "this client cannot export it. It is in a personal space. Move it to a shared "
        "space in which the bot user can edit"
    )


def test_an_administrator_must_be_a_user_of_the_source_tenant(bench: Bench) -> None:
    known = {"email": "Ada@example.com"}
    assert bench.problems(admins={"ada": known, "again": {"subject": "auth0|ada"}}) == []
    [finding] = bench.problems(admins={"ada": known, "bob": {"email": "bob@example.com"}})
    assert finding.startswith("error people: Pulumi.globex.yaml:")
    assert (
        "customer.admins.bob.email: no user of templates.eu.qlikcloud.com has the e-mail address" in finding
    )
