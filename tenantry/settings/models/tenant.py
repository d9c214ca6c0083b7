"""The tenant: its switches, its lifecycle, and settings for all its users."""

from __future__ import annotations

from typing import Annotated

from tenantry.providers.values.days import DEFAULT_ZONE, LastDay
from tenantry.providers.values.limits import ROLES_OF_A_GROUP
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, TENANT_ROLES, Block, ResourceMapping, key
from tenantry.settings.values import Day, GraceDays, Hostname, Id, LifecycleKind, Switch, Text, TimeZone


class TenantSwitches(Block):
    """Switches of the tenant. A key that you leave out keeps the value that Qlik chose. (Tenants API)"""

    auto_assign_create_shared_spaces_role_to_professionals: Switch | None = key(
        None, about="Whether users with a professional entitlement can create shared spaces."
    )
    auto_assign_private_analytics_content_creator_role_to_professionals: Switch | None = key(
        None,
        about="Whether users with a professional entitlement can create analytics content in their personal "
        "space.",
    )
    auto_assign_data_services_contributor_role_to_professionals: Switch | None = key(
        None, about="Whether users with a professional entitlement can use the data services."
    )
    enable_app_opening_feedback: Switch | None = key(
        None, about="Whether to show the progress while an app opens."
    )
    datacenter: Text | None = key(
        None,
        about="The data centre of the tenant, for example `eu-west-1`. Default: the one of the region.",
        change="never: fixed at creation",
    )


class Lifecycle(Block):
    """Production or trial, and what happens to the tenant when you delete it."""

    kind: LifecycleKind = key(
        "production",
        about="A production tenant is protected from deletion. A trial has a last day.",
        change=NO_REQUEST,
    )
    ends_on: Day | None = key(
        None,
        about="The last day of a trial, in quotes. Required for a trial and not allowed otherwise. The "
        "trial ends when that day ends in `time_zone`.",
        change=NO_REQUEST,
    )
    time_zone: TimeZone = key(
        DEFAULT_ZONE,
        about="The time zone of the last day, from the IANA database, such as `Europe/Berlin`.",
        change=NO_REQUEST,
    )
    grace_days: GraceDays = key(
        30,
        about="Days from the deactivation of the tenant until Qlik deletes its data. Until then you can "
        "revive it.",
        change=NO_REQUEST,
    )

    release_entitlements: Switch = key(
        False,
        about="Whether to release the entitlements of the users before Tenantry deactivates the tenant. "
        "Tenantry keeps the entitlement of a user whose subject also exists in another tenant of the "
        "licence, or might exist there.",
        change=NO_REQUEST,
    )

    @property
    def last_day(self) -> LastDay | None:
        """The last day of a trial in its time zone; None for a production tenant."""
        return LastDay(self.ends_on, self.time_zone) if self.ends_on else None


class Revive(Block):
    """A deactivated tenant that this stack reactivates instead of creating a new one."""

    hostname: Hostname = key(about="The tenant's system hostname.", change=AT_CREATION)
    tenant_id: Id = key(about="The tenant's id at Qlik.", change=AT_CREATION)


class GroupSettings(Block):
    """How groups are created in the tenant, and the roles of every user. Tenantry does not change a key that
    you leave out. If you remove a key, Tenantry restores the previous value. (Groups API)
    """

    mapping = ResourceMapping("GroupSettings", "group settings", output=False)

    auto_create_groups: Switch | None = key(
        None, about="Whether a login creates missing groups that are named in the user's claims."
    )
    sync_idp_groups: Switch | None = key(
        None, about="Whether groups follow the interactive identity provider. Qlik has deprecated it."
    )
    everyone_roles: Annotated[list[Text] | None, TENANT_ROLES] = key(
        None,
        about="Names of the tenant roles that every user has. `[]`: none.",
        **ROLES_OF_A_GROUP.field,
    )


class LicenseSettings(Block):
    """Which entitlements users get when they log in. Tenantry does not change a key that you leave out. If
    you remove a key, Tenantry restores the previous value. (Licenses API)
    """

    mapping = ResourceMapping("LicenseSettings", "license settings", output=False)

    auto_assign_professional: Switch | None = key(
        None, about="Whether users get a professional entitlement, as long as any are left."
    )
    auto_assign_analyzer: Switch | None = key(
        None, about="Whether users get an analyzer entitlement, as long as any are left."
    )
