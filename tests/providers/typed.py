"""How a program uses the resources, for mypy alone; see test_typing.py.

In strict mode a line that ignores an error must have that very error, and every other line must have none.
"""

from __future__ import annotations

from typing import assert_type

import pulumi

from providers import App, AppPublication, Group, Space, SpaceAssignment, Tenant, TenantLifecycle

tenant = Tenant("t", region="eu", source_tenant="s.eu.qlikcloud.com", name="Globex", grace_days=10)
TenantLifecycle("l", tenant=tenant.id, kind="trial", ends_on="2026-12-31")
group = Group("g", tenant=tenant.id, name="Analysts", roles=["Developer"])
space = Space("s", tenant=tenant.id, name="Sales", type="shared", description=None)
managed = Space("m", tenant=tenant.id, name=pulumi.Output.from_input("M"), type="managed")
SpaceAssignment("a", tenant=tenant.id, space=space.id, assignee=group.id, roles=["producer"])
app = App("p", tenant=tenant.id, space=space.id, name="A", source_tenant="s", template="T", version="1")
options = pulumi.ResourceOptions(protect=True)
AppPublication("p", tenant=tenant.id, source_app=app.id, space=managed.id, name="A", opts=options)

assert_type(space.name, pulumi.Output[str])
assert_type(space.owner_id, pulumi.Output[str])
assert_type(space.id, pulumi.Output[str])
assert_type(group.roles, pulumi.Output[list[str]])
assert_type(tenant.grace_days, pulumi.Output[int])

Space("s", tenant=tenant.id, name="Sales")  # type: ignore[call-arg]
Space("s", tenant=tenant.id, name="Sales", type="shared", descripton="x")  # type: ignore[call-arg]
Space("s", tenant=tenant.id, name="Sales", type="shared", owner_id="u123")  # type: ignore[call-arg]
Space("s", tenant=tenant.id, name="Sales", type="private")  # type: ignore[arg-type]
Space("s", tenant=tenant.id, name=7, type="shared")  # type: ignore[arg-type]
Space("s", tenant=tenant.tenant_id, name="Sales", type=tenant.grace_days)  # type: ignore[arg-type]
Group("g", tenant=tenant.id, name="Analysts", roles="Developer")  # type: ignore[arg-type]
TenantLifecycle("l", tenant=tenant.id, grace_days="10")  # type: ignore[arg-type]
Space("s", "Sales", tenant=tenant.id, type="shared")  # type: ignore[call-arg, arg-type]
print(space.nmae)  # type: ignore[attr-defined]
