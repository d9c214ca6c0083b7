"""Groups, users and administrators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from tenantry.providers.values.limits import ROLES_OF_A_GROUP
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, TENANT_ROLES, Block, ResourceMapping, key
from tenantry.settings.values import Email, FormerKeys, Name, ProviderType, Switch, Text, UserStatus
from tenantry.settings.violations import Violation


class Group(Block):
    """A group of users, and the tenant roles of its members. (Groups API)"""

    mapping = ResourceMapping("Group", "group", identity=("name", "provider_type"))

    name: Name = key(
        about="Its name at Qlik. Default: the key.",
        change="in place for a custom group; replaces an `idp` group",
    )
    description: str | None = key(None, about="Shown in Qlik; only custom groups have one.")
    provider_type: ProviderType = key(
        "idp",
        about="`idp`: members come from the identity provider. `custom`: you manage the members in Qlik.",
        change="replaces the group",
    )
    roles: Annotated[list[Text], TENANT_ROLES] = key(
        default_factory=list,
        about="Names of tenant roles, built-in or custom.",
        **ROLES_OF_A_GROUP.field,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same group.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing group with this name that somebody else created.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that only custom groups have a description: Qlik stores no other."""
        for name, group in entries.items():
            if group.provider_type == "idp" and group.description is not None:
                yield Violation(
                    (block, name, "description"),
                    "only a custom group has a description; remove it, or set provider_type: custom",
                )
        yield from super().rules(block, entries)


class User(Block):
    """A person who can log in. People who are not listed here become users when they log in. (Users API)"""

    mapping = ResourceMapping("User", "user", identity=("subject",))

    subject: Text = key(
        about="The subject that the identity provider sends. Quote it if it looks like a number.",
        change="replaces the user",
    )
    name: Name | None = key(
        None, about="Shown in Qlik. Default: the name that the identity provider sends at login."
    )
    email: Email | None = key(
        None, about="E-mail address, unique in the tenant. If you leave it out, Tenantry does not change it."
    )
    roles: Annotated[list[Text] | None, TENANT_ROLES] = key(
        None,
        about="Names of all tenant roles that the user has directly. If you leave it out, Tenantry does not "
        "change them.",
    )
    status: UserStatus = key("active", about="`disabled`: the user still exists, but cannot log in.")
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same user.",
        change=NO_REQUEST,
    )


class Admin(Block):
    """A user of the source tenant who administers this tenant. Tenantry keeps other roles. (Users API)"""

    mapping = ResourceMapping("TenantAdmin", "admin", from_stack=("source_tenant",))

    email: Email | None = key(
        None,
        about="E-mail address of the person on the source tenant. Set either this or `subject`.",
        change="another person: adds the new administrator, removes the old one",
    )
    subject: Text | None = key(
        None,
        about="Subject of the person on the source tenant. Set either this or `email`.",
        change="another person: adds the new administrator, removes the old one",
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same administrator.",
        change=NO_REQUEST,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that each administrator has either an e-mail address or a subject."""
        for name, admin in entries.items():
            at = block, name
            if admin.email and admin.subject:
                yield Violation((*at, "subject"), "give email or subject, not both")
            if not admin.email and not admin.subject:
                text = "email or subject of the person on the source tenant is required"
                yield Violation((*at, "email"), text, incomplete=True, unless=(*at, "subject"))
