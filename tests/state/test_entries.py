"""States, and the resources of a tenant in them."""

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


def resource(type_: str, name: str, **properties: Any) -> dict[str, Any]:
    path = f"qlik:index:QlikCustomerTenant${type_}" if "dynamic" in type_ else type_
    return {"urn": f"urn:pulumi:globex::tenantry::{path}::{name}", "type": type_, **properties}


TENANT_RESOURCE = resource(TENANT, "tenant", id="x.eu.qlikcloud.com", parent=CUSTOMER, protect=True)
SPACE = resource("pulumi-python:dynamic/qlik:Space", "Sales", deletedWith=TENANT_RESOURCE["urn"])
PULUMI_RESOURCES: list[dict[str, Any]] = [
    resource("pulumi:pulumi:Stack", "tenantry-globex", outputs={"hostname": "x.eu.qlikcloud.com"}),
    resource("pulumi:providers:pulumi-python", "default"),
]
TENANTRY_RESOURCES: list[dict[str, Any]] = [
    resource("qlik:index:QlikCustomerTenant", "globex", parent=ROOT),
    TENANT_RESOURCE,
    SPACE,
]


def state(*others: dict[str, Any], pending: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    resources = [*PULUMI_RESOURCES, *TENANTRY_RESOURCES, *others]
    return {"version": 3, "deployment": {"resources": resources, "pending_operations": pending or [], "x": 1}}


def names(resources: list[dict[str, Any]]) -> list[str]:
    return [name_of(resource["urn"]) for resource in resources]


def test_all_resources_of_a_customer_are_removed() -> None:
    full_state = state()
    before = copy.deepcopy(full_state)
    parts = split(full_state)
    assert full_state == before
    assert names(parts.ours) == ["QlikCustomerTenant globex", "Tenant tenant", "Space Sales"]
    assert names(parts.tenants) == names(parts.protected) == ["Tenant tenant"]
    assert parts.dependents == []
    assert parts.rest == {"version": 3, "deployment": {"resources": [], "pending_operations": [], "x": 1}}


def test_other_resources_stay_and_the_outputs_of_the_stack_are_removed() -> None:
    bucket = resource("aws:s3/bucket:Bucket", "logs", parent=ROOT)
    rest = split(state(bucket)).rest["deployment"]["resources"]
    assert [entry["type"] for entry in rest] == [
        *(entry["type"] for entry in PULUMI_RESOURCES),
        bucket["type"],
    ]
    assert rest[0]["outputs"] == {}


def test_dependents_of_removed_resources_are_named() -> None:
    urn = TENANT_RESOURCE["urn"]
    dependents = [
        resource("aws:x:Record", "by-dependency", dependencies=[urn]),
        resource("aws:x:Record", "by-property", propertyDependencies={"a": None, "b": [urn]}),
        resource("aws:x:Record", "by-parent", parent=CUSTOMER),
        resource("aws:x:Record", "by-deletion", deletedWith=urn),
    ]
    independent = resource(
        "aws:x:Record", "independent", dependencies=[ROOT], propertyDependencies={"a": [ROOT]}
    )
    assert split(state(*dependents, independent)).dependents == [dependent["urn"] for dependent in dependents]


def test_pending_operations_on_removed_resources_are_removed() -> None:
    other = {"resource": resource("aws:x:Record", "r"), "type": "creating"}
    parts = split(state(pending=[{"resource": SPACE, "type": "creating"}, other]))
    assert parts.rest["deployment"]["pending_operations"] == [other]


def test_a_stack_before_its_first_up_has_no_tenant_resources() -> None:
    states: list[dict[str, Any]] = [{"version": 3, "deployment": None}, {"version": 3}, {"deployment": {}}]
    for empty_state in states:
        assert hostname_of(empty_state) is None
        assert split(empty_state).ours == []


def test_the_hostname_is_the_id_of_the_tenant() -> None:
    assert hostname_of(state()) == "x.eu.qlikcloud.com"


def test_a_name_can_contain_the_separators_of_a_urn() -> None:
    assert (
        name_of("urn:pulumi:globex::tenantry::a:b:C$d:e/f:Space::Sales: North :: South")
        == "Space Sales: North :: South"
    )


def test_a_foreign_provider_is_found_in_every_part_of_a_state() -> None:
    own_provider, foreign_provider = (
        {PROVIDER_KEY: provider_string("space")},
        {PROVIDER_KEY: foreign_string()},
    )
    space = resource(tokens.of("Space"), "sales", inputs=own_provider, outputs=own_provider)
    assert foreign(state(space)) == ""
    for part in ("inputs", "outputs"):
        other = resource(
            tokens.of("Space"),
            "x",
            **{"inputs": own_provider, "outputs": own_provider, part: foreign_provider},
        )
        assert foreign(state(space, other)) == other["urn"]
        assert foreign(state(space, pending=[{"resource": other}])) == other["urn"]
    unrelated = resource("pulumi-python:dynamic:Resource", "y", outputs=foreign_provider)
    assert foreign(state(unrelated)) == unrelated["urn"]
