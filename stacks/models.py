"""What a stack file and a plan may hold: one class per block, in the words of Qlik and Pulumi.

Field descriptions and docstrings are also the reference documentation and the JSON schema. Rules that look at
more than one value are in rules.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from providers.limits import ROLES_OF_A_GROUP
from stacks.values import (
    Alias,
    ClockTolerance,
    Day,
    Email,
    GraceDays,
    Hostname,
    IdpDescription,
    LifecycleKind,
    Name,
    Origin,
    Pem,
    ProviderType,
    Region,
    Ring,
    SpaceName,
    SpaceRoles,
    SpaceType,
    Switch,
    Text,
    UserStatus,
    Version,
)

IN_PLACE = "in place"
AT_CREATION = "read only when it is made"
NEW_IMPORT = "imported anew and republished; published apps keep their id"
NO_REQUEST = "nothing at Qlik"
NEVER_CUT_OFF = "refused: add a second entry"


def key(default: Any = ..., *, about: str, change: str = IN_PLACE, **more: Any) -> Any:
    """Declare a key of a block: its default, what it does, and what a change of it means for what exists."""
    return Field(default, description=about, json_schema_extra={"x-change": change}, **more)


class Block(BaseModel):
    """A mapping of known keys; every other key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def block_of(annotation: Any) -> type[Block] | None:
    """Return the block that an annotation is about: `Group` of `dict[str, Group]`; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    return next((block for part in get_args(annotation) if (block := block_of(part))), None)


class TenantSwitches(Block):
    """Switches of the tenant. What is not given keeps the value that Qlik chose. (Tenants API)"""

    auto_assign_create_shared_spaces_role_to_professionals: Switch | None = key(
        None, about="Users with a professional entitlement may create shared spaces."
    )
    auto_assign_private_analytics_content_creator_role_to_professionals: Switch | None = key(
        None,
        about="Users with a professional entitlement may create analytics content in their personal space.",
    )
    auto_assign_data_services_contributor_role_to_professionals: Switch | None = key(
        None, about="Users with a professional entitlement may work with the data services."
    )
    enable_app_opening_feedback: Switch | None = key(
        None, about="Show how far an app has got while it opens."
    )
    datacenter: Text | None = key(
        None,
        about="The data centre in which the tenant is made, for example `eu-west-1`. Default: the region's.",
        change="never: fixed when the tenant is made",
    )


class Lifecycle(Block):
    """What kind of customer this is, and what happens to the tenant when it goes."""

    kind: LifecycleKind = key(
        "production",
        about="A production tenant is protected from deletion; a trial ends on a day.",
        change=NO_REQUEST,
    )
    ends_on: Day | None = key(
        None,
        about="The last day of a trial, in quotes. Required for a trial, only for a trial.",
        change=NO_REQUEST,
    )
    grace_days: GraceDays = key(
        30,
        about="Days from the deactivation of the tenant until Qlik deletes its data; so long it can return.",
        change=NO_REQUEST,
    )


class Revive(Block):
    """A deactivated tenant that this stack takes up again instead of making a new one."""

    hostname: Hostname = key(about="The tenant's system hostname.", change=AT_CREATION)
    tenant_id: Text = key(about="The tenant's id at Qlik.", change=AT_CREATION)


Revival = Annotated[
    Annotated[Revive, Tag("<tenant>")] | Annotated[Literal["new"], Tag("<new>")],
    Discriminator(lambda value: "<new>" if isinstance(value, str) else "<tenant>"),
]


class Group(Block):
    """A group of users, and the roles that it gives them in the tenant. (Groups API)"""

    name: Name = key(
        about="Its name at Qlik. Default: the key.",
        change="in place for a custom group, else replaces the group",
    )
    description: str | None = key(None, about="Shown in Qlik; only custom groups have one.")
    provider_type: ProviderType = key(
        "idp",
        about="`idp`: members come from the identity provider. `custom`: members are kept in Qlik.",
        change="replaces the group",
    )
    roles: list[Text] = key(
        default_factory=list,
        about="Names of roles of the tenant, built-in or custom.",
        **ROLES_OF_A_GROUP.field,
    )
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same group.", change=NO_REQUEST
    )
    adopt: Switch = key(
        False, about="Take over a group of that name that somebody else made.", change=AT_CREATION
    )


class User(Block):
    """A person who may log in. Who logs in without being listed here is a user, too. (Users API)"""

    subject: Text = key(
        about="The subject that the identity provider sends, in quotes if it looks like a number.",
        change="replaces the user",
    )
    name: Name | None = key(
        None, about="Shown in Qlik. Left out: as the identity provider sends it at the login."
    )
    email: Email | None = key(None, about="E-mail address; each belongs to one user. Left out: left alone.")
    roles: list[Text] | None = key(
        None, about="Names of all roles of the tenant that the user has directly. Left out: left alone."
    )
    status: UserStatus = key("active", about="`disabled`: the user stays, but cannot log in.")
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same user.", change=NO_REQUEST
    )


class Admin(Block):
    """A person of the source tenant who administers this one. Other roles stay as they are. (Users API)"""

    email: Email | None = key(
        None,
        about="E-mail address of the person on the source tenant. Either this or `subject`.",
        change="another person: the new one comes, the old one goes",
    )
    subject: Text | None = key(
        None,
        about="Subject of the person on the source tenant. Either this or `email`.",
        change="another person: the new one comes, the old one goes",
    )
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same administrator.", change=NO_REQUEST
    )


class Space(Block):
    """A space, and who has access to it. (Spaces API)"""

    name: SpaceName = key(about="Its name at Qlik, unique in the tenant. Default: the key.")
    type: SpaceType = key(
        about="`shared`: apps are made there. `managed`: apps are published there. `data`: data projects.",
        change="replaces the space, which must be empty",
    )
    description: str | None = key(None, about="Shown in Qlik.")
    access: dict[str, SpaceRoles] = key(
        default_factory=dict,
        about="For each key of `groups` that has access: its roles here. Which there are depends on `type`.",
    )
    user_access: dict[str, SpaceRoles] = key(
        default_factory=dict, about="The same for each key of `users` or `admins`, but not for the owner."
    )
    bot_access: dict[str, SpaceRoles] = key(
        default_factory=dict,
        about="The same for bots: for each user id in this tenant of an OAuth client other than ours.",
    )
    owner: Text | None = key(
        None,
        about="Key of `users` or `admins` of who owns the space. Default: our client's bot user, who stays a "
        "member otherwise.",
    )
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same space.", change=NO_REQUEST
    )
    adopt: Switch = key(
        False, about="Take over a space of that name that somebody else made.", change=AT_CREATION
    )


class App(Block):
    """An app made from a template of the source tenant, and where it is published. (Apps API)"""

    name: Name = key(about="Its name at Qlik. Default: the key.")
    description: str | None = key(
        None, about="Shown in Qlik; the version is added to it, in the published apps, too."
    )
    template: Name | None = key(
        None,
        about="The exact name of the template app in the source tenant. Either this or `template_id`.",
        change=NEW_IMPORT,
    )
    template_id: Text | None = key(
        None, about="The id of the template app. Either this or `template`.", change=NEW_IMPORT
    )
    version: Version = key(
        about="The version of the template, in quotes: the `2.3.0` of a description that ends in `{v2.3.0}`.",
        change=NEW_IMPORT,
    )
    staging: Text = key(
        about="Key of the shared space into which the template is imported.", change="in place: the app moves"
    )
    publish_to: list[Text] = key(
        default_factory=list,
        about="Keys of the managed spaces into which the app is published.",
        change="in place: one publication each comes or goes",
    )
    data: Switch = key(
        True,
        about="The template comes with data, which is published. `false`: published apps keep theirs.",
        change=NEW_IMPORT,
    )
    join_template_space: Switch = key(
        False,
        about="Our client's bot user may join the template's space on the source tenant as `producer`, for "
        "good, where it cannot export the template otherwise.",
        change=NO_REQUEST,
    )
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same app.", change=NO_REQUEST
    )
    adopt: Switch = key(
        False, about="Take over an app of that name that somebody else made.", change=AT_CREATION
    )


class GroupSettings(Block):
    """How groups come into the tenant. What is not given is left alone; what was there before is given back
    when a key is taken out. (Groups API)
    """

    auto_create_groups: Switch | None = key(
        None, about="Make the groups in a user's claims that are not there yet when the user logs in."
    )
    sync_idp_groups: Switch | None = key(
        None, about="Keep groups as an interactive identity provider has them; deprecated by Qlik."
    )
    everyone_roles: list[Text] | None = key(
        None,
        about="Names of the roles of the tenant that every user has. `[]`: none.",
        **ROLES_OF_A_GROUP.field,
    )


class LicenseSettings(Block):
    """Which entitlements users get when they log in. What is not given is left alone; what was there before
    is given back when a key is taken out. (Licenses API)
    """

    auto_assign_professional: Switch | None = key(
        None, about="Give users a professional entitlement, as long as there are any."
    )
    auto_assign_analyzer: Switch | None = key(
        None, about="Give users an analyzer entitlement, as long as there are any."
    )


class WebIntegration(Block):
    """Web pages that may show what is in the tenant; its id is an output of the stack. (Web Integrations
    API)
    """

    name: Name = key(about="Its name at Qlik. Default: the key.")
    origins: list[Origin] = key(
        about="Origins of the pages, `scheme://host[:port]` each; no wildcard, no path.", min_length=1
    )
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same web integration.", change=NO_REQUEST
    )
    adopt: Switch = key(
        False, about="Take over a web integration of that name that somebody else made.", change=AT_CREATION
    )


class JwtIdentityProvider(Block):
    """A public key with which Qlik checks the tokens of one signer. To rotate it, add a second one with a
    `kid` of its own, and take the first out once the signer uses the second. (Identity Providers API)
    """

    issuer: Text = key(about="The claim `iss` of the tokens.", change=NEVER_CUT_OFF)
    kid: Text = key(
        about="The `kid` in the header of the tokens, once per issuer; in quotes if it looks like a number.",
        change=NEVER_CUT_OFF,
    )
    pem: Pem | None = key(
        None,
        about="The RSA public key or its certificate as PEM. Either this or `pem_file`.",
        change=NEVER_CUT_OFF,
    )
    pem_file: Text | None = key(
        None,
        about="The file with the PEM; its path is from the folder of the file that says this.",
        change=NEVER_CUT_OFF,
    )
    description: IdpDescription | None = key(None, about="Shown in Qlik; 128 characters at most.")
    clock_tolerance_seconds: ClockTolerance = key(
        5, about="How far the signer's clock may be off.", change=NEVER_CUT_OFF
    )
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same provider.", change=NO_REQUEST
    )
    adopt: Switch = key(
        False,
        about="Take over what is there. Qlik names no maker: the very same key is, without this, too.",
        change=AT_CREATION,
    )


class Content(Block):
    """What a tenant is to be: the part that customers and plans have in common."""

    tenant: TenantSwitches = key(default_factory=TenantSwitches, about="Switches of the tenant.")
    lifecycle: Lifecycle = key(default_factory=Lifecycle, about="Production or trial, and the grace period.")
    protect: Switch | None = key(
        None,
        about="Refuse to delete what holds users' work. Default: yes for production, no for a trial.",
        change=NO_REQUEST,
    )
    ring: Ring = key(
        "broad",
        about="When changes of many customers reach this one: `pilot` first, `early` next, `broad` last.",
        change=NO_REQUEST,
    )
    tags: dict[str, Text] = key(
        default_factory=dict,
        about="Words of your own, `key: value`, by which `tenantry up --tag key=value` selects customers.",
        change=NO_REQUEST,
    )
    group_settings: GroupSettings | None = key(None, about="How groups come into the tenant.")
    license_settings: LicenseSettings | None = key(None, about="Which entitlements users get.")
    web_integrations: dict[str, WebIntegration] = key(default_factory=dict, about="Web integrations, by key.")
    jwt_identity_providers: dict[str, JwtIdentityProvider] = key(
        default_factory=dict, about="JWT identity providers, by key."
    )
    users: dict[str, User] = key(default_factory=dict, about="Users, by key.")
    admins: dict[str, Admin] = key(default_factory=dict, about="Administrators of the tenant, by key.")
    groups: dict[str, Group] = key(default_factory=dict, about="Groups, by key.")
    spaces: dict[str, Space] = key(default_factory=dict, about="Spaces, by key.")
    apps: dict[str, App] = key(default_factory=dict, about="Apps, by key.")


class Plan(Content):
    """A product tier, in a file `plans/<plan>.yaml`: the keys of a customer without its own, and this one."""

    extends: Text | None = key(
        None,
        about="Name of another plan, over which this one merges as a customer does over its plan.",
        change=NO_REQUEST,
    )


class Customer(Content):
    """One customer: a tenant and everything in it."""

    name: Name = key(about="The tenant's display name.")
    plan: Text | None = key(
        None,
        about="Name of a plan: the file `plans/<plan>.yaml`, over which all this merges.",
        change=NO_REQUEST,
    )
    alias: Alias | None = key(
        None,
        about="Label of the hostname for people, `<alias>.<region>.qlikcloud.com`; unique in its region.",
        change="in place; the former alias is released",
    )
    revive: Revival | None = key(
        None,
        about="The deactivated tenant to take up again, or `new` to make another one for certain.",
        change=AT_CREATION,
    )

    @property
    def protected(self) -> bool:
        """Whether Pulumi must refuse to delete what holds users' work."""
        return self.lifecycle.kind == "production" if self.protect is None else self.protect


class Settings(Block):
    """Everything that a stack file says: the keys under `config:`."""

    region: Region = key(
        alias="qlik:region",
        about="Region of the tenant, for example `eu`.",
        change="never: a tenant stays in its region",
    )
    source_tenant: Hostname = key(
        alias="qlik:source_tenant",
        about="Hostname of the tenant that has the template apps and the licence; same region.",
        change="apps are imported anew and republished",
    )
    customer: Customer = key(alias="tenantry:customer", about="The customer.")

    @property
    def alias_hostname(self) -> str | None:
        """The hostname for people, `<alias>.<region>.qlikcloud.com`, if there is an alias."""
        return f"{self.customer.alias}.{self.region}.qlikcloud.com" if self.customer.alias else None
