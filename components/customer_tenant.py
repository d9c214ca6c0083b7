"""The whole of one customer, from the settings of its stack file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

from tenantry.components import names
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

if TYPE_CHECKING:
    from tenantry.settings.models import Customer, Settings
    from tenantry.settings.models.block import Block

R = TypeVar("R", bound=pulumi.Resource)


class QlikCustomerTenant(pulumi.ComponentResource):
    """One customer: a tenant with its settings, ways to log in, people, groups, spaces, access, apps and
    publications, and its lifecycle.

    The children are named by their keys in the stack file. The proof comes before the tenant. All in the
    tenant is `deleted_with` it, and the lifecycle depends on all of that, so that taking the customer down
    is one request. The activation depends on the lifecycle. For a protected customer what holds users' work
    is protected: the tenant, its managed spaces and publications, the lifecycle and the activation.
    """

    outputs: dict[str, Any]
    """What a portal needs: `hostname`, `url`, `tenant_id`, and by key `web_integrations`, `users`, `admins`,
    `groups`, `spaces` and `apps`.
    """

    def __init__(
        self, resource_name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("qlik:index:QlikCustomerTenant", resource_name, {}, opts)
        self._settings = settings
        self._children: list[pulumi.Resource] = []
        self.proof = self._make_proof()
        self.tenant = self._make_tenant()
        # Spaces before all that nothing waits for: apps, which take longest, wait for them.
        self.users = {key: self._make_user(key) for key in self._customer.users}
        self.admins = {key: self._make_admin(key) for key in self._customer.admins}
        self.spaces = {key: self._make_space(key) for key in self._customer.spaces}
        self.groups = {key: self._make_group(key) for key in self._customer.groups}
        self._make_settings()
        self.web_integrations = {
            key: self._make_web_integration(key) for key in self._customer.web_integrations
        }
        for key in self._customer.jwt_identity_providers:
            self._make_jwt_identity_provider(key)
        for key, space in self._customer.spaces.items():
            for group in space.access:
                self._make_assignment(key, group)
            for person in space.user_access:
                self._make_assignment_of_person(key, person)
            for bot in space.bot_access:
                self._make_assignment_of_bot(key, bot)
        self.apps = {key: self._make_app(key) for key in self._customer.apps}
        self.publications = {pair: self._make_publication(*pair) for pair in self._published()}
        self.lifecycle = self._make_lifecycle()
        self.activation = self._make_activation()
        self.outputs = self._outputs()
        self.register_outputs(self.outputs)

    @property
    def _customer(self) -> Customer:
        return self._settings.customer

    def _options(
        self,
        *,
        protect: bool = False,
        formerly: Iterable[str] = (),
        after: Iterable[pulumi.Resource] = (),
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            deleted_with=self.tenant,
            depends_on=list(after),
            protect=protect and self._customer.protected,
            aliases=[pulumi.Alias(name=name) for name in formerly],
        )

    @property
    def _ends_on(self) -> str | None:
        day = self._customer.lifecycle.ends_on
        return str(day) if day else None

    def _make_proof(self) -> TenantProof:
        return TenantProof(
            "proof",
            region=self._settings.region,
            source_tenant=self._settings.source_tenant,
            name=self._customer.name,
            revives=self._customer.revive is not None or None,
            ends_on=self._ends_on,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_tenant(self) -> Tenant:
        customer, revive = self._customer, self._customer.revive
        return Tenant(
            "tenant",
            region=self._settings.region,
            source_tenant=self._settings.source_tenant,
            name=customer.name,
            alias=self._settings.alias_hostname,
            grace_days=customer.lifecycle.grace_days,
            revive=revive.model_dump() if revive else None,
            proof=self.proof.proof,
            **customer.tenant.model_dump(),
            opts=pulumi.ResourceOptions(parent=self, protect=customer.protected),
        )

    def _make_settings(self) -> None:
        """Make a resource of each block of settings that says anything."""
        if given := _given(self._customer.group_settings):
            opts = self._options()
            self._child(GroupSettings("group settings", tenant=self.tenant.id, **given, opts=opts))
        if given := _given(self._customer.license_settings):
            opts = self._options()
            self._child(LicenseSettings("license settings", tenant=self.tenant.id, **given, opts=opts))

    def _make_web_integration(self, key: str) -> WebIntegration:
        integration = self._customer.web_integrations[key]
        made = WebIntegration(
            key,
            tenant=self.tenant.id,
            name=integration.name,
            valid_origins=integration.origins,
            adopt=integration.adopt or None,
            opts=self._options(formerly=names.former(integration.renamed_from)),
        )
        return self._child(made)

    def _make_jwt_identity_provider(self, key: str) -> None:
        provider = self._customer.jwt_identity_providers[key]
        made = JwtIdentityProvider(
            key,
            tenant=self.tenant.id,
            issuer=provider.issuer,
            kid=provider.kid,
            pem=provider.pem,
            description=provider.description,
            clock_tolerance_seconds=provider.clock_tolerance_seconds,
            adopt=provider.adopt or None,
            opts=self._options(formerly=names.former(provider.renamed_from)),
        )
        self._child(made)

    def _make_group(self, key: str) -> Group:
        group = self._customer.groups[key]
        made = Group(
            key,
            tenant=self.tenant.id,
            name=group.name,
            provider_type=group.provider_type,
            description=group.description,
            roles=group.roles,
            adopt=group.adopt or None,
            opts=self._options(formerly=names.former(group.renamed_from)),
        )
        return self._child(made)

    def _make_user(self, key: str) -> User:
        user = self._customer.users[key]
        made = User(
            key,
            tenant=self.tenant.id,
            subject=user.subject,
            name=user.name,
            email=user.email,
            roles=user.roles,
            status=user.status,
            opts=self._options(formerly=names.former(user.renamed_from)),
        )
        return self._child(made)

    def _make_admin(self, key: str) -> TenantAdmin:
        admin = self._customer.admins[key]
        made = TenantAdmin(
            key,
            tenant=self.tenant.id,
            source_tenant=self._settings.source_tenant,
            email=admin.email,
            subject=admin.subject,
            opts=self._options(formerly=names.former(admin.renamed_from)),
        )
        return self._child(made)

    def _person(self, key: str) -> User | TenantAdmin:
        return self.users[key] if key in self.users else self.admins[key]

    def _make_space(self, key: str) -> Space:
        space = self._customer.spaces[key]
        made = Space(
            key,
            tenant=self.tenant.id,
            name=space.name,
            type=space.type,
            description=space.description,
            owner=self._person(space.owner).id if space.owner else None,
            adopt=space.adopt or None,
            opts=self._options(protect=space.type == "managed", formerly=names.former(space.renamed_from)),
        )
        return self._child(made)

    def _make_assignment(self, space: str, group: str) -> None:
        roles, former = self._customer.spaces[space].access[group], self._customer.groups[group].renamed_from
        self._assign(space, group, former, names.access, assignee=self.groups[group].id, roles=roles)

    def _make_assignment_of_person(self, space: str, key: str) -> None:
        roles = self._customer.spaces[space].user_access[key]
        former = (self._customer.users.get(key) or self._customer.admins[key]).renamed_from
        person = self._person(key).id
        self._assign(space, key, former, names.user_access, assignee=person, roles=roles, type="user")

    def _make_assignment_of_bot(self, space: str, bot: str) -> None:
        roles = self._customer.spaces[space].bot_access[bot]
        self._assign(space, bot, None, names.bot_access, assignee=bot, roles=roles, type="bot")

    def _assign(self, space: str, key: str, former: str | None, name: Any, **inputs: Any) -> None:
        former_space = self._customer.spaces[space].renamed_from
        made = SpaceAssignment(
            name(space, key),
            tenant=self.tenant.id,
            space=self.spaces[space].id,
            adopt=self._customer.spaces[space].adopt or None,
            opts=self._options(formerly=names.former_pairs(name, space, former_space, key, former)),
            **inputs,
        )
        self._child(made)

    def _make_app(self, key: str) -> App:
        app = self._customer.apps[key]
        made = App(
            key,
            tenant=self.tenant.id,
            space=self.spaces[app.staging].id,
            name=app.name,
            description=app.description,
            source_tenant=self._settings.source_tenant,
            template=app.template,
            template_id=app.template_id,
            version=app.version,
            data=app.data,
            join_template_space=app.join_template_space or None,
            adopt=app.adopt or None,
            # All spaces, as the app may leave one that is replaced: Pulumi deletes it there first, and would
            # have it made anew at the same time if nothing told it to wait.
            opts=self._options(formerly=names.former(app.renamed_from), after=self.spaces.values()),
        )
        return self._child(made)

    def _published(self) -> list[tuple[str, str]]:
        return [(key, space) for key, app in self._customer.apps.items() for space in app.publish_to]

    def _make_publication(self, key: str, space: str) -> AppPublication:
        app = self._customer.apps[key]
        former_space = self._customer.spaces[space].renamed_from
        made = AppPublication(
            names.publication(key, space),
            tenant=self.tenant.id,
            source_app=self.apps[key].id,
            space=self.spaces[space].id,
            name=app.name,
            description=f"{app.description or ''} {{v{app.version}}}".lstrip(),
            data="source" if app.data else "target",
            adopt=app.adopt or None,
            opts=self._options(
                protect=True,
                formerly=names.former_pairs(names.publication, key, app.renamed_from, space, former_space),
            ),
        )
        return self._child(made)

    def _make_lifecycle(self) -> TenantLifecycle:
        lifecycle = self._customer.lifecycle
        return TenantLifecycle(
            "lifecycle",
            tenant=self.tenant.id,
            kind=lifecycle.kind,
            tenant_id=self.tenant.tenant_id,
            ends_on=self._ends_on,
            grace_days=lifecycle.grace_days,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self.tenant, *self._children], protect=self._customer.protected
            ),
        )

    def _make_activation(self) -> TenantActivation:
        return TenantActivation(
            "activation",
            tenant=self.tenant.id,
            tenant_id=self.tenant.tenant_id,
            ends_on=self._ends_on,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self.lifecycle], protect=self._customer.protected
            ),
        )

    def _child(self, resource: R) -> R:
        self._children.append(resource)
        return resource

    def _outputs(self) -> dict[str, Any]:
        hostname = self._settings.alias_hostname or self.tenant.hostname
        published: dict[str, dict[str, Any]] = {key: {} for key in self.apps}
        for (key, space), publication in self.publications.items():
            published[key][space] = {"id": publication.id, "url": publication.url}
        return {
            "hostname": self.tenant.hostname,
            "url": pulumi.Output.concat("https://", hostname),
            "tenant_id": self.tenant.tenant_id,
            "web_integrations": {key: each.id for key, each in self.web_integrations.items()},
            "users": {key: user.id for key, user in self.users.items()},
            "admins": {key: admin.id for key, admin in self.admins.items()},
            "groups": {key: group.id for key, group in self.groups.items()},
            "spaces": {key: space.id for key, space in self.spaces.items()},
            "apps": published,
        }


def _given(block: Block | None) -> dict[str, Any]:
    return block.model_dump(exclude_none=True) if block else {}
