"""A stack file has only what its plan does not have. Together they describe the tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tenantry.importing.findings import Findings
from tenantry.importing.minimal import as_text, minimal
from tenantry.settings import load_file
from tenantry.settings.merge import complete
from tenantry.settings.models import Customer

HEAD = {"qlik:region": "eu", "qlik:source_tenant": "templates.eu.qlikcloud.com"}
PLAN: dict[str, Any] = {
    "tenant": {"enable_app_opening_feedback": True},
    "lifecycle": {"grace_days": 20},
    "groups": {"Analysts": {"roles": ["AnalyticsAdmin", "Developer"]}, "Viewers": {}},
    "spaces": {
        "Staging": {"type": "shared", "description": "ImportResult"},
        "Main": {
            "name": "Sales",
            "type": "managed",
            "access": {"Analysts": ["consumer"], "Viewers": ["consumer"]},
        },
    },
    "apps": {
        "Sales": {
            "template": "Sales",
            "version": "2.0",
            "staging": "Staging",
            "publish_to": ["Main"],
            "data": False,
        }
    },
}


def group(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "provider_type": "idp", "roles": [], "description": None} | more


def space(name: str, type: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "description": None, "access": {}} | more


def app(name: str, **more: Any) -> dict[str, Any]:
    known = {"name": name, "description": None, "template": name, "template_id": None, "version": "2.0"}
    return known | {"staging": "Staging", "publish_to": ["Main"]} | more


def found() -> dict[str, Any]:
    """A customer that equals the plan."""
    return {
        "name": "Acme",
        "alias": None,
        "tenant": {"enable_app_opening_feedback": True},
        "groups": {
            "Analysts": group("Analysts", roles=["AnalyticsAdmin", "Developer"]),
            "Viewers": group("Viewers"),
        },
        "spaces": {
            "Staging": space("Staging", "shared", description="ImportResult"),
            "Main": space("Sales", "managed", access={"Analysts": ["consumer"], "Viewers": ["consumer"]}),
        },
        "apps": {"Sales": app("Sales")},
    }


def settings(folder: Path, customer: dict[str, Any], plan: dict[str, Any] | None = None) -> Customer:
    """Return the settings of a stack file with this customer, with or without the plan."""
    (folder / "plans").mkdir(exist_ok=True)
    (folder / "plans" / "gold.yaml").write_text(yaml.safe_dump(plan or {}))
    file = folder / "Pulumi.acme.yaml"
    named = {"plan": "gold"} if plan is not None else {}
    file.write_text(as_text({**HEAD, "tenantry:customer": named | customer}, head="Made\nhere"), "utf-8")
    return load_file(file).customer.model_copy(update={"plan": None})


def of_plan(customer: dict[str, Any]) -> dict[str, Any]:
    return minimal(Findings(complete(PLAN), customer))


def test_what_is_as_the_plan_has_it_is_not_said() -> None:
    assert of_plan(found()) == {"name": "Acme"}
    customer = found()
    customer["groups"]["Analysts"]["roles"].reverse()
    assert of_plan(customer) == {"name": "Acme"}, "the order of roles means nothing"


def test_without_a_plan_only_defaults_are_left_out() -> None:
    minimal_customer = minimal(Findings({}, found()))
    assert minimal_customer["groups"] == {
        "Analysts": {"roles": ["AnalyticsAdmin", "Developer"]},
        "Viewers": {},
    }
    assert minimal_customer["spaces"]["Staging"] == {"type": "shared", "description": "ImportResult"}
    assert minimal_customer["spaces"]["Main"]["name"] == "Sales"
    assert minimal_customer["tenant"] == {"enable_app_opening_feedback": True}
    assert "alias" not in minimal_customer


@pytest.mark.parametrize(
    ("path", "value", "minimal_customer"),
    [
        ("groups/Analysts/roles", ["Developer"], {"groups": {"Analysts": {"roles": ["Developer"]}}}),
        ("groups/Analysts/roles", [], {"groups": {"Analysts": {"roles": []}}}),
        ("groups/New", group("New"), {"groups": {"New": {}}}),
        ("spaces/Staging/description", None, {"spaces": {"Staging": {"description": None}}}),
        (
            "spaces/Main/access/Viewers",
            ["publisher"],
            {"spaces": {"Main": {"access": {"Viewers": ["publisher"]}}}},
        ),
        ("apps/Sales/version", "1.0", {"apps": {"Sales": {"version": "1.0"}}}),
        ("apps/Sales/publish_to", [], {"apps": {"Sales": {"publish_to": []}}}),
        ("tenant/enable_app_opening_feedback", False, {"tenant": {"enable_app_opening_feedback": False}}),
        ("alias", "acme", {"alias": "acme"}),
    ],
)
def test_what_differs_is_said_and_means_what_was_found(
    path: str, value: Any, minimal_customer: Any, tmp_path: Path
) -> None:
    customer = found()
    *blocks, key = path.split("/")
    inner = customer
    for block in blocks:
        inner = inner[block]
    inner[key] = value
    assert of_plan(customer) == {"name": "Acme", **minimal_customer}
    unsaid = {"lifecycle": PLAN["lifecycle"]}
    alone = minimal(Findings({}, customer)) | unsaid
    alone["apps"]["Sales"]["data"] = False
    assert settings(tmp_path, of_plan(customer), PLAN) == settings(tmp_path, alone)


def test_what_the_tenant_does_not_have_is_removed_from_the_plan(tmp_path: Path) -> None:
    customer = found()
    del (
        customer["groups"]["Viewers"],
        customer["spaces"]["Main"]["access"]["Viewers"],
        customer["apps"]["Sales"],
    )
    minimal_customer = of_plan(customer)
    assert minimal_customer["groups"] == {"Viewers": None}
    assert minimal_customer["spaces"] == {"Main": {"access": {"Viewers": None}}}
    assert minimal_customer["apps"] == {"Sales": None}
    merged = settings(tmp_path, minimal_customer, PLAN)
    assert (list(merged.groups), list(merged.apps)) == (["Analysts"], [])


@pytest.mark.parametrize(
    "name", ["2.10", "yes", "null", "2026-12-31", "a: b", "# 1", "Größe", "{v1}", " x", "0x1F"]
)
def test_text_stays_text(name: str, tmp_path: Path) -> None:
    customer = {"name": "Acme", "groups": {name: group(name)}}
    minimal_customer = settings(tmp_path, minimal(Findings({}, customer)))
    assert [each.name for each in minimal_customer.groups.values()] == [name.strip()] or list(
        minimal_customer.groups
    ) == [name]


def test_the_head_is_a_comment_and_versions_are_quoted(tmp_path: Path) -> None:
    text = as_text({"tenantry:customer": {"version": "2.3.0"}}, head="one\ntwo")
    assert text.startswith("# one\n# two\nconfig:")
    assert 'version: "2.3.0"' in text


@pytest.mark.parametrize("block", ["groups", "spaces", "apps", "web_integrations", "jwt_identity_providers"])
def test_what_the_tenant_has_nothing_of_is_taken_out_of_the_plan(block: str) -> None:
    """This includes a block without any object in the tenant."""
    plan: dict[str, Any] = {
        "web_integrations": {"Portal": {"origins": ["https://portal.example"]}},
        "jwt_identity_providers": {"signer": {"issuer": "i", "kid": "1", "pem": "p"}},
        **{name: {"One": {}} for name in ("groups", "spaces", "apps")},
    }
    entries: dict[str, Any] = plan[block]
    findings = Findings({block: entries, "tags": {"country": "de"}})
    findings.customer.update({"name": "Acme"})
    assert minimal(findings) == {"name": "Acme", block: dict.fromkeys(entries)}
