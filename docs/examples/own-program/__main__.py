"""A tenant with one group that has access to one space."""

import pulumi

from tenantry.providers import (
    Group,
    Space,
    SpaceAssignment,
    Tenant,
    TenantActivation,
    TenantLifecycle,
    TenantProof,
)

whose = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Initech"}

proof = TenantProof("proof", **whose)  # comes first: one proof allows one request for a tenant
tenant = Tenant("initech", **whose, proof=proof.proof)
inside = pulumi.ResourceOptions(deleted_with=tenant)

builders = Group("builders", tenant=tenant.id, name="Builders", roles=["AnalyticsAdmin"], opts=inside)
workshop = Space("workshop", tenant=tenant.id, name="Workshop", type="shared", opts=inside)
access = SpaceAssignment(
    "builders in workshop",
    tenant=tenant.id,
    space=workshop.id,
    assignee=builders.id,
    roles=["producer"],
    opts=inside,
)

# Depends on everything else, so a destroy deactivates the tenant before it removes anything from the state.
lifecycle = TenantLifecycle(
    "lifecycle",
    tenant=tenant.id,
    tenant_id=tenant.tenant_id,
    grace_days=10,
    opts=pulumi.ResourceOptions(depends_on=[tenant, builders, workshop, access]),
)
TenantActivation(
    "activation",
    tenant=tenant.id,
    tenant_id=tenant.tenant_id,
    opts=pulumi.ResourceOptions(depends_on=[lifecycle]),
)

pulumi.export("hostname", tenant.hostname)
