"""A stack file has only the differences from its plan. Together, they describe the tenant."""

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

GENERAL_SETTINGS = {"qlik:region": "eu", "qlik:source_tenant": "templates.eu.qlikcloud.com"}
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


def group(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "provider_type": "idp", "roles": [], "description": None} | changes


def space(name: str, type: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "description": None, "access": {}} | changes


def app(name: str, **changes: Any) -> dict[str, Any]:
    entry = {"name": name, "description": None, "template": name, "template_id": None, "version": "2.0"}
    return entry | {"staging": "Staging", "publish_to": ["Main"]} | changes


def customer_of_plan() -> dict[str, Any]:
    """Return a customer that equals the plan."""
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
    plan_key = {"plan": "gold"} if plan is not None else {}
    file.write_text(
        as_text({**GENERAL_SETTINGS, "tenantry:customer": plan_key | customer}, head="Created\nhere"), "utf-8"
    )
    return load_file(file).customer.model_copy(update={"plan": None})


def minimal_with_plan(customer: dict[str, Any]) -> dict[str, Any]:
    return minimal(Findings(complete(PLAN), customer))


def test_a_value_of_the_plan_is_not_repeated() -> None:
    assert minimal_with_plan(customer_of_plan()) == {"name": "Acme"}
    customer = customer_of_plan()
    customer["groups"]["Analysts"]["roles"].reverse()
    assert minimal_with_plan(customer) == {"name": "Acme"}, "the order of roles has no meaning"


def test_without_a_plan_only_defaults_are_omitted() -> None:
    minimal_customer = minimal(Findings({}, customer_of_plan()))
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
def test_a_difference_from_the_plan_is_in_the_file(
    path: str, value: Any, minimal_customer: Any, tmp_path: Path
) -> None:
    customer = customer_of_plan()
    *blocks, key = path.split("/")
    mapping = customer
    for block in blocks:
        mapping = mapping[block]
    mapping[key] = value
    assert minimal_with_plan(customer) == {"name": "Acme", **minimal_customer}
    from_plan = {"lifecycle": PLAN["lifecycle"]}
    without_plan = minimal(Findings({}, customer)) | from_plan
    without_plan["apps"]["Sales"]["data"] = False
    assert settings(tmp_path, minimal_with_plan(customer), PLAN) == settings(tmp_path, without_plan)


def test_an_entry_that_the_tenant_does_not_have_is_removed_from_the_plan(tmp_path: Path) -> None:
    customer = customer_of_plan()
    del (
        customer["groups"]["Viewers"],
        customer["spaces"]["Main"]["access"]["Viewers"],
        customer["apps"]["Sales"],
    )
    minimal_customer = minimal_with_plan(customer)
    assert minimal_customer["groups"] == {"Viewers": None}
    assert minimal_customer["spaces"] == {"Main": {"access": {"Viewers": None}}}
    assert minimal_customer["apps"] == {"Sales": None}
    merged = settings(tmp_path, minimal_customer, PLAN)
    assert (list(merged.groups), list(merged.apps)) == (["Analysts"], [])


@pytest.mark.parametrize(
    "name", ["2.10", "yes", "null", "2026-12-31", "a: b", "# 1", "Größe", "{v1}", " x", "0x1F"]
)
def test_a_name_that_looks_like_another_type_stays_a_text(name: str, tmp_path: Path) -> None:
    customer = {"name": "Acme", "groups": {name: group(name)}}
    minimal_customer = settings(tmp_path, minimal(Findings({}, customer)))
    assert [group.name for group in minimal_customer.groups.values()] == [name.strip()] or list(
        minimal_customer.groups
    ) == [name]


def test_the_head_is_a_comment_and_versions_are_quoted(tmp_path: Path) -> None:
    text = as_text({"tenantry:customer": {"version": "2.3.0"}}, head="one\ntwo")
    assert text.startswith("# one\n# two\nconfig:")
    assert 'version: "2.3.0"' in text


@pytest.mark.parametrize("block", ["groups", "spaces", "apps", "web_integrations", "jwt_identity_providers"])
def test_a_block_without_objects_in_the_tenant_is_removed_from_the_plan(block: str) -> None:
    plan: dict[str, Any] = {
        "web_integrations": {"Portal": {"origins": ["https://portal.example"]}},
        "jwt_identity_providers": {"signer": {"issuer": "i", "kid": "1", "pem": "p"}},
        **{name: {"One": {}} for name in ("groups", "spaces", "apps")},
    }
    entries: dict[str, Any] = plan[block]
    findings = Findings({block: entries, "tags": {"country": "de"}})
    findings.customer.update({"name": "Acme"})
    assert minimal(findings) == {"name": "Acme", block: dict.fromkeys(entries)}
