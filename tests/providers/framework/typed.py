"""Example uses of the resources, which only mypy reads: see test_typing.py.

In strict mode, each line that ignores an error must have exactly that error, and no other line may have one.
"""

from __future__ import annotations

from typing import assert_type

import pulumi

from tenantry.providers import (
    App,
    AppPublication,
    Group,
    GroupSettings,
    JwtIdentityProvider,
    LicenseSettings,
    Space,
    SpaceAssignment,
    Tenant,
    TenantActivation,
    TenantAdmin,
    TenantLifecycle,
    TenantProof,
    User,
    WebIntegration,
)

proof = TenantProof("p", region="eu", source_tenant="s.eu.qlikcloud.com", name="Globex")
tenant = Tenant("t", region="eu", source_tenant="s", name="Globex", grace_days=10, proof=proof.proof)
TenantLifecycle("l", tenant=tenant.id, tenant_id=tenant.tenant_id, kind="trial", ends_on="2999-12-31")
TenantActivation("a", tenant=tenant.id, tenant_id=tenant.tenant_id)
group = Group("g", tenant=tenant.id, name="Analysts", roles=["Developer"])
user = User("u", tenant=tenant.id, subject="auth0|ada", roles=["Developer"])
admin = TenantAdmin("t", tenant=tenant.id, source_tenant="s", email="ada@example.com")
space = Space("s", tenant=tenant.id, name="Sales", type="shared", description=None, owner=admin.id)
managed = Space("m", tenant=tenant.id, name=pulumi.Output.from_input("M"), type="managed")
SpaceAssignment("a", tenant=tenant.id, space=space.id, assignee=group.id, roles=["producer"])
app = App("p", tenant=tenant.id, space=space.id, name="A", source_tenant="s", template="T", version="1")
options = pulumi.ResourceOptions(protect=True)
AppPublication("p", tenant=tenant.id, source_app=app.id, space=managed.id, name="A", opts=options)
GroupSettings("gs", tenant=tenant.id, auto_create_groups=True, everyone_roles=[])
LicenseSettings("ls", tenant=tenant.id, auto_assign_analyzer=None)
integration = WebIntegration("w", tenant=tenant.id, name="Portal", valid_origins=["https://a.example"])
provider = JwtIdentityProvider("j", tenant=tenant.id, issuer="us", kid="one", pem="p")

assert_type(integration.valid_origins, pulumi.Output[list[str]])
assert_type(provider.clock_tolerance_seconds, pulumi.Output[int])
assert_type(space.name, pulumi.Output[str])
assert_type(space.owner_id, pulumi.Output[str])
assert_type(space.id, pulumi.Output[str])
assert_type(group.roles, pulumi.Output[list[str]])
assert_type(tenant.grace_days, pulumi.Output[int])
assert_type(user.roles, pulumi.Output[list[str]])
assert_type(admin.created_user, pulumi.Output[bool])

Space("s", tenant=tenant.id, name="Sales")  # type: ignore[call-arg]
Space("s", tenant=tenant.id, name="Sales", type="shared", descripton="x")  # type: ignore[call-arg]
Space("s", tenant=tenant.id, name="Sales", type="shared", owner_id="u123")  # type: ignore[call-arg]
Space("s", tenant=tenant.id, name="Sales", type="private")  # type: ignore[arg-type]
Space("s", tenant=tenant.id, name=7, type="shared")  # type: ignore[arg-type]
Space("s", tenant=tenant.tenant_id, name="Sales", type=tenant.grace_days)  # type: ignore[arg-type]
Group("g", tenant=tenant.id, name="Analysts", roles="Developer")  # type: ignore[arg-type]
TenantLifecycle("l", tenant=tenant.id, tenant_id="t", grace_days="10")  # type: ignore[arg-type]
Space("s", "Sales", tenant=tenant.id, type="shared")  # type: ignore[call-arg, arg-type]
JwtIdentityProvider("j", tenant=tenant.id, issuer="us", kid="one")  # type: ignore[call-arg]
WebIntegration("w", tenant=tenant.id, name="Portal", valid_origins="https://a.example")  # type: ignore[arg-type]
LicenseSettings("ls", tenant=tenant.id, before={})  # type: ignore[call-arg]
print(space.nmae)  # type: ignore[attr-defined]
