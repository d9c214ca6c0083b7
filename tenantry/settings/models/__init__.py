"""What a stack file and a plan may hold: one class per block, in the words of Qlik and Pulumi.

Field descriptions and docstrings are also the reference documentation and the JSON schema. Rules that look at
more than one value are in rules.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_origin

from tenantry.settings.models.appearance import Brand, Extension, PinnedLink, Theme
from tenantry.settings.models.automations import Automation
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, block_of, is_named, key
from tenantry.settings.models.content import App, Space
from tenantry.settings.models.data import DataConnection, DataFile
from tenantry.settings.models.embedding import CspOrigin
from tenantry.settings.models.identity_providers import OidcIdentityProvider, SamlIdentityProvider
from tenantry.settings.models.logins import JwtIdentityProvider, OAuthClient, WebIntegration
from tenantry.settings.models.people import Admin, Group, User
from tenantry.settings.models.reload_tasks import ReloadTask
from tenantry.settings.models.tenant import GroupSettings, LicenseSettings, Lifecycle, Revive, TenantSwitches
from tenantry.settings.models.webhooks import Webhook
from tenantry.settings.values import Alias, Hostname, Name, Region, Ring, Switch, Text


class Content(Block):
    """The keys that a customer and a plan have in common: the content of a tenant."""

    tenant: TenantSwitches = key(default_factory=TenantSwitches, about="Switches of the tenant.")
    lifecycle: Lifecycle = key(default_factory=Lifecycle, about="Production or trial, and the grace period.")
    protect: Switch | None = key(
        None,
        about="Refuse to delete resources that hold users' work. Default: `true` for production, `false` "
        "for a trial.",
        change=NO_REQUEST,
    )
    ring: Ring = key(
        "broad",
        about="The group in which a rollout to many customers reaches this one: `pilot` first, then "
        "`early`, then `broad`.",
        change=NO_REQUEST,
    )
    tags: dict[str, Text] = key(
        default_factory=dict,
        about="Your own `key: value` labels. `tenantry up --tag key=value` selects customers by them.",
        change=NO_REQUEST,
    )
    group_settings: GroupSettings | None = key(
        None, about="How groups are created in the tenant, and the roles of every user."
    )
    license_settings: LicenseSettings | None = key(None, about="Which entitlements users get automatically.")
    brands: dict[str, Brand] = key(default_factory=dict, about="Brands, by key. At most one is active.")
    themes: dict[str, Theme] = key(default_factory=dict, about="Themes, by key.")
    extensions: dict[str, Extension] = key(default_factory=dict, about="Extensions, by key.")
    pinned_links: dict[str, PinnedLink] = key(default_factory=dict, about="Links in the navigation, by key.")
    web_integrations: dict[str, WebIntegration] = key(default_factory=dict, about="Web integrations, by key.")
    csp_origins: dict[str, CspOrigin] = key(
        default_factory=dict, about="Origins of the content security policy, by key."
    )
    webhooks: dict[str, Webhook] = key(default_factory=dict, about="Webhooks, by key.")
    oidc_identity_providers: dict[str, OidcIdentityProvider] = key(
        default_factory=dict,
        about="Where users log in, by key: OpenID Connect. At most one login per tenant.",
    )
    saml_identity_providers: dict[str, SamlIdentityProvider] = key(
        default_factory=dict, about="Where users log in, by key: SAML. At most one login per tenant."
    )
    jwt_identity_providers: dict[str, JwtIdentityProvider] = key(
        default_factory=dict, about="JWT identity providers, by key."
    )
    oauth_clients: dict[str, OAuthClient] = key(default_factory=dict, about="OAuth clients, by key.")
    users: dict[str, User] = key(default_factory=dict, about="Users, by key.")
    admins: dict[str, Admin] = key(default_factory=dict, about="Administrators of the tenant, by key.")
    groups: dict[str, Group] = key(default_factory=dict, about="Groups, by key.")
    spaces: dict[str, Space] = key(default_factory=dict, about="Spaces, by key.")
    data_connections: dict[str, DataConnection] = key(default_factory=dict, about="Data connections, by key.")
    data_files: dict[str, DataFile] = key(default_factory=dict, about="Data files, by key.")
    apps: dict[str, App] = key(default_factory=dict, about="Apps, by key.")
    reload_tasks: dict[str, ReloadTask] = key(
        default_factory=dict, about="Tasks that reload published apps, by key."
    )
    automations: dict[str, Automation] = key(default_factory=dict, about="Automations, by key.")


class Plan(Content):
    """A product tier, in a file `plans/<plan>.yaml`. It has the keys that customers share, and `extends`."""

    extends: Text | None = key(
        None,
        about="Name of another plan. This plan merges over it, as a customer merges over its plan.",
        change=NO_REQUEST,
    )


class Customer(Content):
    """One customer: a tenant and everything in it."""

    name: Name = key(about="The tenant's display name.")
    plan: Text | None = key(
        None,
        about="Name of a plan, the file `plans/<plan>.yaml`. The customer merges over it.",
        change=NO_REQUEST,
    )
    alias: Alias | None = key(
        None,
        about="First label of the hostname for users, `<alias>.<region>.qlikcloud.com`; unique in its "
        "region.",
        change="in place; the former alias is released",
    )
    revive: Revive | None = key(
        None,
        about="A deactivated tenant to reactivate instead of creating one. Copy the values that `pulumi "
        "destroy` or an error printed.",
        change=AT_CREATION,
    )

    @property
    def protected(self) -> bool:
        """Whether Pulumi must refuse to delete resources that hold users' work."""
        return self.lifecycle.kind == "production" if self.protect is None else self.protect


class Settings(Block):
    """The keys under `config:` in a stack file."""

    region: Region = key(
        alias="qlik:region",
        about="Region of the tenant, for example `eu`.",
        change="never: a tenant stays in its region",
    )
    source_tenant: Hostname = key(
        alias="qlik:source_tenant",
        about="Hostname of the tenant that has the template apps and the licence. It must be in the same "
        "region.",
        change="imports the apps again and republishes them",
    )
    customer: Customer = key(alias="tenantry:customer", about="The customer.")

    @property
    def alias_hostname(self) -> str | None:
        """The hostname for users, `<alias>.<region>.qlikcloud.com`, if there is an alias."""
        return f"{self.customer.alias}.{self.region}.qlikcloud.com" if self.customer.alias else None


BLOCKS: dict[str, type[Block]] = {
    name: block for name, field in Content.model_fields.items() if (block := block_of(field.annotation))
}
"""The blocks of a customer by key, in the order of `Content`. `Content` is the only list of them."""

ENTRIES = tuple(name for name in BLOCKS if get_origin(Content.model_fields[name].annotation) is dict)
"""The blocks with entries, whose keys the customer chooses. An empty entry has only defaults."""

NAMED = tuple(name for name in ENTRIES if is_named(BLOCKS[name]))
"""The blocks whose entries have a name at Qlik. Default: the key of the entry."""


def parts(content: Content) -> Iterator[tuple[tuple[str, ...], Block]]:
    """Yield each block that a customer has, and each entry where a block has entries, with its path."""
    for name in BLOCKS:
        value = getattr(content, name)
        if name in ENTRIES:
            yield from (((name, key), entry) for key, entry in value.items())
        elif value is not None:
            yield (name,), value
