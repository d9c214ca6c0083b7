"""Banners of a tenant."""

from __future__ import annotations

from tenantry.providers.framework.handlers import Collection
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.values.limits import NOT_EMPTY


class Banner(Resource):
    """A line of text that every user sees."""

    tenant: Property[str] = reference("Tenant", "The tenant that shows the banner.")
    name: Property[str] = prop("Name, unique in the tenant.", limits=NOT_EMPTY)
    content: Property[str] = prop("The text that users read.", default="")
    adopt: Property[bool] = prop(
        "Take over an existing banner with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )


class BannerHandler(Collection):
    """CRUD handler of `Banner`."""

    resource_type = Banner
    path = "/api/v1/banners"
    natural_key = ("tenant", "name")


HANDLER = BannerHandler()
