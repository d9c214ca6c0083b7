"""Tests of states, and of the resources of a tenant in them."""

from __future__ import annotations

import copy
from typing import Any

from tenantry.providers.framework.resource import provider_string
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.state.entries import TENANT, foreign, hostname_of, name_of, split
from tests.pulumi_internals.strings import foreign_string

ROOT = "urn:pulumi:globex::tenantry::pulumi:pulumi:Stack::tenantry-globex"
CUSTOMER = "urn:pulumi:globex::tenantry::qlik:index:QlikCustomerTenant::globex"


def resource(kind: str, name: str, **more: Any) -> dict[str, Any]:
    path = f"qlik:index:QlikCustomerTenant${kind}" if "dynamic" in kind else kind
    return {"urn": f"urn:pulumi:globex::tenantry::{path}::{name}", "type": kind, **more}


TENANT_RESOURCE = resource(TENANT, "tenant", id="x.eu.qlikcloud.com", parent=CUSTOMER, protect=True)
SPACE = resource("pulumi-python:dynamic/qlik:Space", "Sales", deletedWith=TENANT_RESOURCE["urn"])
OWN: list[dict[str, Any]] = [
    resource("pulumi:pulumi:Stack", "tenantry-globex", outputs={"hostname": "x.eu.qlikcloud.com"}),
    resource("pulumi:providers:pulumi-python", "default"),
]
OURS: list[dict[str, Any]] = [
    resource("qlik:index:QlikCustomerTenant", "globex", parent=ROOT),
    TENANT_RESOURCE,
    SPACE,
]


def state(*more: dict[str, Any], pending: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    resources = [*OWN, *OURS, *more]
    return {"version": 3, "deployment": {"resources": resources, "pending_operations": pending or [], "x": 1}}


def names(resources: list[dict[str, Any]]) -> list[str]:
    return [name_of(item["urn"]) for item in resources]


def test_all_of_a_customer_goes_and_nothing_is_left() -> None:
    whole = state()
    before = copy.deepcopy(whole)
    parts = split(whole)
    assert whole == before
    assert names(parts.ours) == ["QlikCustomerTenant globex", "Tenant tenant", "Space Sales"]
    assert names(parts.tenants) == names(parts.protected) == ["Tenant tenant"]
    assert parts.dependents == []
    assert parts.rest == {"version": 3, "deployment": {"resources": [], "pending_operations": [], "x": 1}}


def test_what_is_not_about_qlik_stays_without_outputs_that_are() -> None:
    bucket = resource("aws:s3/bucket:Bucket", "logs", parent=ROOT)
    rest = split(state(bucket)).rest["deployment"]["resources"]
    assert [item["type"] for item in rest] == [*(entry["type"] for entry in OWN), bucket["type"]]
    assert rest[0]["outputs"] == {}


def test_dependents_of_removed_resources_are_named() -> None:
    urn = TENANT_RESOURCE["urn"]
    dependents = [
        resource("aws:x:Record", "by-dependency", dependencies=[urn]),
        resource("aws:x:Record", "by-property", propertyDependencies={"a": None, "b": [urn]}),
        resource("aws:x:Record", "by-parent", parent=CUSTOMER),
        resource("aws:x:Record", "by-deletion", deletedWith=urn),
    ]
    alone = resource("aws:x:Record", "alone", dependencies=[ROOT], propertyDependencies={"a": [ROOT]})
    assert split(state(*dependents, alone)).dependents == [dependent["urn"] for dependent in dependents]


def test_pending_operations_on_removed_resources_are_removed() -> None:
    kept = {"resource": resource("aws:x:Record", "r"), "type": "creating"}
    parts = split(state(pending=[{"resource": SPACE, "type": "creating"}, kept]))
    assert parts.rest["deployment"]["pending_operations"] == [kept]


def test_a_stack_that_was_never_up() -> None:
    states: list[dict[str, Any]] = [{"version": 3, "deployment": None}, {"version": 3}, {"deployment": {}}]
    for empty in states:
        assert hostname_of(empty) is None
        assert split(empty).ours == []


def test_the_tenant_is_known_by_its_id() -> None:
    assert hostname_of(state()) == "x.eu.qlikcloud.com"


def test_names_keep_their_characters() -> None:
    assert (
        name_of("urn:pulumi:globex::tenantry::a:b:C$d:e/f:Space::Sales: North :: South")
        == "Space Sales: North :: South"
    )


def test_a_provider_that_is_not_ours_is_found_wherever_it_is() -> None:
    ours, theirs = {PROVIDER_KEY: provider_string("space")}, {PROVIDER_KEY: foreign_string()}
    kept = resource(tokens.of("Space"), "sales", inputs=ours, outputs=ours)
    assert foreign(state(kept)) == ""
    for part in ("inputs", "outputs"):
        other = resource(tokens.of("Space"), "x", **{"inputs": ours, "outputs": ours, part: theirs})
        assert foreign(state(kept, other)) == other["urn"]
        assert foreign(state(kept, pending=[{"resource": other}])) == other["urn"]
    somebodys = resource("pulumi-python:dynamic:Resource", "y", outputs=theirs)
    assert foreign(state(somebodys)) == somebodys["urn"]
