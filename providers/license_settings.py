"""Licence settings of a tenant (https://qlik.dev/apis/rest/licenses, `/licenses/settings`)."""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.properties import Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.framework.singleton import Singleton
from tenantry.providers.qlik import Host


class LicenseSettings(Resource):
    """The settings for the entitlements that users get when they log in. There is one set per tenant.

    Deletion of the resource restores the previous values.
    """

    tenant: Property[str] = reference("Tenant", "The tenant with these settings.")
    auto_assign_professional: Property[bool] = prop(
        "Whether users get a professional entitlement, as long as any are left.", default=None
    )
    auto_assign_analyzer: Property[bool] = prop(
        "Whether users get an analyzer entitlement, as long as any are left.", default=None
    )

    before: Property[dict[str, Any]] = output("The previous values of the properties that are set here.")


class LicenseSettingsHandler(Singleton):
    """CRUD handler of `LicenseSettings`.

    Qlik sets both flags at once, and does not document what happens if one is missing.
    """

    resource_type = LicenseSettings
    path = "/api/v1/licenses/settings"

    def write(self, host: Host, changes: Properties, known: Properties) -> None:
        """PUT both flags. A flag that is not managed keeps its live value."""
        flags = [flag for flag in self.resource_type.inputs() if not flag.reference]
        if any(flag.name not in known | changes for flag in flags):
            known = self.live(host)
        both = known | changes
        host.put(self.path, {flag.camel: both[flag.name] for flag in flags})


HANDLER = LicenseSettingsHandler()
