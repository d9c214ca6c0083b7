"""A tenant with one group that may work in one space."""

import pulumi

from tenantry.providers import Group, Space, SpaceAssignment, Tenant, TenantLifecycle

tenant = Tenant("initech", region="eu", source_tenant="templates.eu.qlikcloud.com", name="Initech")
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

TenantLifecycle(
    "lifecycle",
    tenant=tenant.id,
    grace_days=10,
    opts=pulumi.ResourceOptions(depends_on=[tenant, builders, workshop, access]),
)

pulumi.export("hostname", tenant.hostname)
