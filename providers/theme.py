"""Themes (https://qlik.dev/apis/rest/themes): colours and fonts of apps."""

from __future__ import annotations

from tenantry.providers.framework.archived import Archived
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.values.archives import MD5
from tenantry.providers.values.limits import NOT_EMPTY


class Theme(Resource):
    """A theme that apps of the tenant can use. Its files are those of a folder or a zip.

    `tenantry.providers.values.archives.read` tells `name` and `md5` of the files at `path`.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose apps can use it.")
    name: Property[str] = prop(
        "Name, unique among the themes of the tenant: what the .qext file says.", limits=NOT_EMPTY
    )
    md5: Property[str] = prop("MD5 of the zip: another one is another content.", limits=MD5)
    path: Property[str] = prop(
        "The folder or zip on this machine, which is read when it is sent; not kept in the state.",
        default=None,
        change=Change.NOT_KEPT,
    )
    adopt: Property[bool] = prop(
        "Manage a theme of this name that somebody else made.", default=None, change=Change.AT_CREATION
    )

    stored_md5: Property[str] = output("MD5 of what Qlik stored of it.", at_qlik=False)


class ThemeHandler(Archived):
    """Archives with a .qext of the type `theme`."""

    resource_type = Theme
    path = "/api/v1/themes"
    theme = True


HANDLER = ThemeHandler()
