"""All resources of one customer, from the settings of its stack file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import pulumi

from tenantry import providers
from tenantry.components.space_order import wait_for_spaces
from tenantry.providers import (
    AppPublication,
    AppReload,
    SpaceAssignment,
    Tenant,
    TenantActivation,
    TenantLifecycle,
    TenantProof,
)
from tenantry.providers.framework.formats import FORMAT
from tenantry.providers.values import tokens
from tenantry.settings import names
from tenantry.settings.models import BLOCKS, ENTRIES
from tenantry.settings.models.content import Reload
from tenantry.settings.models.reload_tasks import space_of_task

if TYPE_CHECKING:
    from tenantry.settings.models import Customer, Settings
    from tenantry.settings.models.block import Block

R = TypeVar("R", bound=pulumi.Resource)


class QlikCustomerTenant(pulumi.ComponentResource):
    """One customer: a tenant with its settings, logins, people, groups, spaces, access, apps, publications
    and lifecycle.

    Each block of the stack file becomes the resource in the `mapping` of its class (see
    `tenantry.settings.models`): one resource per entry, or one for a block of settings with any value. The
    code below sets the references between resources, and their order.

    Each child has the name of its key in the stack file. The proof comes before the tenant. Everything in
    the tenant is `deleted_with` it, and the lifecycle depends on all of it. So the deletion of a customer is
    one request. The activation depends on the lifecycle. For a protected customer, the resources with users'
    work are protected: the tenant, its managed spaces and publications, the lifecycle and the activation. A
    space or an app can override this.
    """

    outputs: dict[str, Any]
    """The values for a portal: `hostname`, `url`, `tenant_id`, the published `apps`, and the ids of each
    block whose `mapping` has an `output`, such as `groups`, by key.
    """

    resources: dict[str, dict[str, Any]]
    """The resources of each block, such as `groups`, by key."""

    def __init__(
        self, resource_name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"{tokens.COMPONENTS}QlikCustomerTenant", resource_name, {}, opts)
        self._settings = settings
        self._run = uuid4().hex
        self._children: list[pulumi.Resource] = []
        self.resources = {}
        self.proof = self._create_proof()
        self.tenant = self._create_tenant()
        # Owners of spaces come first. Spaces are next: apps take longest, and they wait only for spaces.
        for block in ("users", "admins"):
            self.resources[block] = self._create_block(block)
        self.resources["spaces"] = {key: self._create_space(key) for key in self._customer.spaces}
        for block, model in BLOCKS.items():
            if model.mapping and not model.mapping.has_own_code and block not in self.resources:
                self.resources[block] = self._create_block(block)
        for key, space in self._customer.spaces.items():
            for group in space.access:
                self._create_assignment(key, group)
            for person in space.user_access:
                self._create_user_assignment(key, person)
            for bot in space.bot_access:
                self._create_bot_assignment(key, bot)
        self.resources["data_connections"] = {
            key: self._create_data_connection(key) for key in self._customer.data_connections
        }
        self.resources["apps"] = {key: self._create_app(key) for key in self._customer.apps}
        self.reloads = {
            key: self._create_reload(key, app.reload)
            for key, app in self._customer.apps.items()
            if app.reload
        }
        self.publications = {pair: self._create_publication(*pair) for pair in self._published()}
        self.resources["reload_tasks"] = {}
        for key in self._customer.reload_tasks:
            self._create_reload_task(key)
        self.lifecycle = self._create_lifecycle()
        self.activation = self._create_activation()
        self.outputs = self._outputs()
        self.register_outputs({**self.outputs, "format": FORMAT})

    @property
    def _customer(self) -> Customer:
        return self._settings.customer

    def _options(
        self,
        *,
        protect: bool = False,
        formerly: Iterable[str] = (),
        after: Iterable[pulumi.Resource] | pulumi.Output[Any] = (),
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            deleted_with=self.tenant,
            depends_on=after if isinstance(after, pulumi.Output) else list(after),
            protect=protect,
            aliases=[pulumi.Alias(name=name) for name in formerly],
        )

    @property
    def _ends_on(self) -> str | None:
        day = self._customer.lifecycle.last_day
        return str(day) if day else None

    def _create_proof(self) -> TenantProof:
        return TenantProof(
            "proof",
            region=self._settings.region,
            source_tenant=self._settings.source_tenant,
            name=self._customer.name,
            revives=self._customer.revive is not None or None,
            ends_on=self._ends_on,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_tenant(self) -> Tenant:
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
            program_run=self._run,
            templates={
                key: {"source_tenant": self._settings.source_tenant, **app.resource_properties()}
                for key, app in customer.apps.items()
            },
            **customer.tenant.model_dump(),
            opts=pulumi.ResourceOptions(parent=self, protect=customer.protected),
        )

    def _create_block(self, block: str) -> dict[str, Any]:
        """Create the resources of a block, and return them by key.

        The key for a block of settings is its noun.
        """
        settings = getattr(self._customer, block)
        if block in ENTRIES:
            created: dict[str, Any] = {}
            for key, entry in sorted(settings.items(), key=lambda item: (item[1].is_created_last, item[0])):
                previous = list(created.values())
                if not entry.is_created_last:
                    previous = previous[-1:] if entry.mapping.created_in_order else []
                in_other_blocks = [
                    resource for name in entry.mapping.after for resource in self.resources[name].values()
                ]
                after = [*previous, *in_other_blocks]
                created[key] = self._create(key, entry, after=after, **self._in_space(entry))
            return created
        noun = BLOCKS[block].mapping.noun  # type: ignore[union-attr]  # only called for blocks that have one
        return {noun: self._create(noun, settings)} if settings and settings.resource_properties() else {}

    def _in_space(self, entry: Block) -> dict[str, Any]:
        """Return the reference to the space of an entry, if it has a key `space`."""
        space = getattr(entry, "space", None)
        return {"space": self.resources["spaces"][space].id} if space else {}

    def _create(
        self,
        name: str,
        block: Block,
        *,
        protect: bool = False,
        after: Iterable[pulumi.Resource] | pulumi.Output[Any] = (),
        **references: Any,
    ) -> Any:
        """Create the resource that a block describes. `references` are references to other resources."""
        mapping = block.mapping
        assert mapping is not None, f"{type(block).__name__} describes no resource"  # noqa: S101
        from_stack = {name: getattr(self._settings, name) for name in mapping.from_stack}
        resource = getattr(providers, mapping.resource)(
            name,
            tenant=self.tenant.id,
            **block.resource_properties(),
            **_secrets(block),
            **from_stack,
            **references,
            opts=self._options(
                protect=protect,
                formerly=names.former_names(getattr(block, "renamed_from", None)),
                after=after,
            ),
        )
        return self._add_child(resource)

    def _person(self, key: str) -> Any:
        return self.resources["users"].get(key) or self.resources["admins"][key]

    def _create_space(self, key: str) -> Any:
        space = self._customer.spaces[key]
        owner = self._person(space.owner).id if space.owner else None
        default = self._customer.protected and space.type == "managed"
        protect = default if space.protect is None else space.protect
        return self._create(key, space, protect=protect, owner=owner)

    def _create_assignment(self, space: str, group: str) -> None:
        roles, former = self._customer.spaces[space].access[group], self._customer.groups[group].renamed_from
        self._assign(
            space, group, former, names.access, assignee=self.resources["groups"][group].id, roles=roles
        )

    def _create_user_assignment(self, space: str, key: str) -> None:
        roles = self._customer.spaces[space].user_access[key]
        former = (self._customer.users.get(key) or self._customer.admins[key]).renamed_from
        person = self._person(key).id
        self._assign(space, key, former, names.user_access, assignee=person, roles=roles, type="user")

    def _create_bot_assignment(self, space: str, bot: str) -> None:
        roles = self._customer.spaces[space].bot_access[bot]
        self._assign(space, bot, None, names.bot_access, assignee=bot, roles=roles, type="bot")

    def _assign(self, space: str, key: str, former: object, name: Any, **inputs: Any) -> None:
        former_space = self._customer.spaces[space].renamed_from
        assignment = SpaceAssignment(
            name(space, key),
            tenant=self.tenant.id,
            space=self.resources["spaces"][space].id,
            adopt=self._customer.spaces[space].adopt or None,
            opts=self._options(formerly=names.former_pair_names(name, space, former_space, key, former)),
            **inputs,
        )
        self._add_child(assignment)

    def _create_data_connection(self, key: str) -> Any:
        connection = self._customer.data_connections[key]
        return self._create(key, connection, space=self.resources["spaces"][connection.space].id)

    def _create_app(self, key: str) -> Any:
        app, spaces = self._customer.apps[key], self.resources["spaces"]
        after = wait_for_spaces(self.tenant, self._run, spaces.values())
        return self._create(key, app, space=spaces[app.staging].id, after=after)

    def _create_reload(self, key: str, reload: Reload) -> AppReload:
        app_reload = AppReload(
            key,
            tenant=self.tenant.id,
            app=self.resources["apps"][key].id,
            **reload.model_dump(),
            opts=self._options(
                formerly=names.former_names(self._customer.apps[key].renamed_from),
                # The data sources of the script must exist.
                after=[
                    *self.resources["data_connections"].values(),
                    *self.resources["data_files"].values(),
                ],
            ),
        )
        return self._add_child(app_reload)

    def _published(self) -> list[tuple[str, str]]:
        return [(key, space) for key, app in self._customer.apps.items() for space in app.publish_to]

    def _create_publication(self, key: str, space: str) -> AppPublication:
        app = self._customer.apps[key]
        former_space = self._customer.spaces[space].renamed_from
        publication = AppPublication(
            names.publication(key, space),
            tenant=self.tenant.id,
            source_app=self.resources["apps"][key].id,
            space=self.resources["spaces"][space].id,
            name=app.name,
            description=f"{app.description or ''} {{v{app.version}}}".lstrip(),
            data="source" if app.data or app.reload else "target",
            loaded=self.reloads[key].reload_id if app.reload else None,
            adopt=app.adopt or None,
            opts=self._options(
                protect=self._customer.protected if app.protect is None else app.protect,
                formerly=names.former_pair_names(
                    names.publication, key, app.renamed_from, space, former_space
                ),
            ),
        )
        return self._add_child(publication)

    def _create_reload_task(self, key: str) -> Any:
        """Create a task, after the task that it waits for."""
        tasks = self.resources["reload_tasks"]
        if key not in tasks:
            task = self._customer.reload_tasks[key]
            publication = self.publications[task.app, space_of_task(self._customer.apps, task) or ""]
            after = self._create_reload_task(task.after).id if task.after else None
            tasks[key] = self._create(key, task, app=publication.id, after_task=after)
        return tasks[key]

    def _create_lifecycle(self) -> TenantLifecycle:
        lifecycle = self._customer.lifecycle
        return TenantLifecycle(
            "lifecycle",
            tenant=self.tenant.id,
            kind=lifecycle.kind,
            tenant_id=self.tenant.tenant_id,
            ends_on=self._ends_on,
            grace_days=lifecycle.grace_days,
            release_entitlements=lifecycle.release_entitlements or None,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self.tenant, *self._children], protect=self._customer.protected
            ),
        )

    def _create_activation(self) -> TenantActivation:
        return TenantActivation(
            "activation",
            tenant=self.tenant.id,
            tenant_id=self.tenant.tenant_id,
            ends_on=self._ends_on,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self.lifecycle], protect=self._customer.protected
            ),
        )

    def _add_child(self, resource: R) -> R:
        self._children.append(resource)
        return resource

    def _outputs(self) -> dict[str, Any]:
        hostname = self._settings.alias_hostname or self.tenant.hostname
        published: dict[str, dict[str, Any]] = {key: {} for key in self.resources["apps"]}
        for (key, space), publication in self.publications.items():
            published[key][space] = {"id": publication.id, "url": publication.url}
        return {
            "hostname": self.tenant.hostname,
            "url": pulumi.Output.concat("https://", hostname),
            "tenant_id": self.tenant.tenant_id,
            **{
                block: {key: resource.id for key, resource in self.resources[block].items()}
                for block, model in BLOCKS.items()
                if model.mapping
                and model.mapping.output
                and (self.resources[block] or not model.mapping.only_if_any)
            },
            **self._client_secrets(),
            "apps": published,
        }

    def _client_secrets(self) -> dict[str, dict[str, Any]]:
        """Return the secrets of `web` clients by key, if there are any."""
        clients = self._customer.oauth_clients
        secrets = {
            key: client.client_secret
            for key, client in self.resources["oauth_clients"].items()
            if clients[key].app_type == "web"
        }
        return {"oauth_client_secrets": secrets} if secrets else {}


def _secrets(block: Block) -> dict[str, pulumi.Output[Any]]:
    """Return the properties whose values are the secrets that the block names."""
    config = pulumi.Config("tenantry")
    found: dict[str, pulumi.Output[Any]] = {}
    for key, name in block.secrets().items():
        value = getattr(block, key)  # the name of one secret, or names of secrets by key
        if isinstance(value, str):
            found[name] = config.require_secret(f"secrets_{value}")
        elif value:
            secrets = {inner: config.require_secret(f"secrets_{secret}") for inner, secret in value.items()}
            found[name] = pulumi.Output.all(**secrets)
    return found
