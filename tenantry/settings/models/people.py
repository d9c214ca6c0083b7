"""Who is in the tenant: groups, users, administrators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from tenantry.providers.values.limits import ROLES_OF_A_GROUP
from tenantry.settings.complaints import Complaint
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, TENANT_ROLES, Block, Makes, key
from tenantry.settings.values import Email, FormerKeys, Name, ProviderType, Switch, Text, UserStatus


class Group(Block):
    """A group of users, and the roles that it gives them in the tenant. (Groups API)"""

    makes = Makes("Group", "group", identity=("name", "provider_type"))

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
    roles: Annotated[list[Text], TENANT_ROLES] = key(
        default_factory=list,
        about="Names of roles of the tenant, built-in or custom.",
        **ROLES_OF_A_GROUP.field,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same group.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over a group of that name that somebody else made.", change=AT_CREATION
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """Qlik keeps a description of custom groups only."""
        for name, group in entries.items():
            if group.provider_type == "idp" and group.description is not None:
                yield Complaint(
                    (block, name, "description"),
                    "only a custom group has a description; remove it, or set provider_type: custom",
                )
        yield from super().rules(block, entries)


class User(Block):
    """A person who may log in. Who logs in without being listed here is a user, too. (Users API)"""

    makes = Makes("User", "user", identity=("subject",))

    subject: Text = key(
        about="The subject that the identity provider sends, in quotes if it looks like a number.",
        change="replaces the user",
    )
    name: Name | None = key(
        None, about="Shown in Qlik. Left out: as the identity provider sends it at the login."
    )
    email: Email | None = key(None, about="E-mail address; each belongs to one user. Left out: left alone.")
    roles: Annotated[list[Text] | None, TENANT_ROLES] = key(
        None, about="Names of all roles of the tenant that the user has directly. Left out: left alone."
    )
    status: UserStatus = key("active", about="`disabled`: the user stays, but cannot log in.")
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same user.",
        change=NO_REQUEST,
    )


class Admin(Block):
    """A person of the source tenant who administers this one. Other roles stay as they are. (Users API)"""

    makes = Makes("TenantAdmin", "admin", of_stack=("source_tenant",))

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
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same administrator.",
        change=NO_REQUEST,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """Each is named in one way."""
        for name, admin in entries.items():
            at = block, name
            if admin.email and admin.subject:
                yield Complaint((*at, "subject"), "give email or subject, not both")
            if not admin.email and not admin.subject:
                text = "email or subject of the person on the source tenant is required"
                yield Complaint((*at, "email"), text, incomplete=True, unless=(*at, "subject"))
