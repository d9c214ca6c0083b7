"""The tenant itself: its switches, its life, and settings for everybody in it."""

from __future__ import annotations

from typing import Annotated

from tenantry.providers.values.days import DEFAULT_ZONE, LastDay
from tenantry.providers.values.limits import ROLES_OF_A_GROUP
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, TENANT_ROLES, Block, Makes, key
from tenantry.settings.values import Day, GraceDays, Hostname, Id, LifecycleKind, Switch, Text, TimeZone


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
        about="The last day of a trial, in quotes. Required for a trial, only for a trial. It ends when that "
        "day ends in `time_zone`.",
        change=NO_REQUEST,
    )
    time_zone: TimeZone = key(
        DEFAULT_ZONE,
        about="Whose day the last one is: a time zone of the IANA database, such as `Europe/Berlin`.",
        change=NO_REQUEST,
    )
    grace_days: GraceDays = key(
        30,
        about="Days from the deactivation of the tenant until Qlik deletes its data; so long it can return.",
        change=NO_REQUEST,
    )

    release_entitlements: Switch = key(
        False,
        about="Before the tenant is deactivated, release the entitlements of its users. Those of a subject "
        "that another tenant of the licence has as a user, or may have, are kept.",
        change=NO_REQUEST,
    )

    @property
    def last_day(self) -> LastDay | None:
        """The last day of a trial in its time zone; None for a customer."""
        return LastDay(self.ends_on, self.time_zone) if self.ends_on else None


class Revive(Block):
    """A deactivated tenant that this stack takes up again instead of making a new one."""

    hostname: Hostname = key(about="The tenant's system hostname.", change=AT_CREATION)
    tenant_id: Id = key(about="The tenant's id at Qlik.", change=AT_CREATION)


class GroupSettings(Block):
    """How groups come into the tenant. What is not given is left alone; what was there before is given back
    when a key is taken out. (Groups API)
    """

    makes = Makes("GroupSettings", "group settings", output=False)

    auto_create_groups: Switch | None = key(
        None, about="Make the groups in a user's claims that are not there yet when the user logs in."
    )
    sync_idp_groups: Switch | None = key(
        None, about="Keep groups as an interactive identity provider has them; deprecated by Qlik."
    )
    everyone_roles: Annotated[list[Text] | None, TENANT_ROLES] = key(
        None,
        about="Names of the roles of the tenant that every user has. `[]`: none.",
        **ROLES_OF_A_GROUP.field,
    )


class LicenseSettings(Block):
    """Which entitlements users get when they log in. What is not given is left alone; what was there before
    is given back when a key is taken out. (Licenses API)
    """

    makes = Makes("LicenseSettings", "license settings", output=False)

    auto_assign_professional: Switch | None = key(
        None, about="Give users a professional entitlement, as long as there are any."
    )
    auto_assign_analyzer: Switch | None = key(
        None, about="Give users an analyzer entitlement, as long as there are any."
    )
