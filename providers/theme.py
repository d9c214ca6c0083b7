"""Themes (https://qlik.dev/apis/rest/themes): colours and fonts of apps."""

from __future__ import annotations

from tenantry.providers.framework.archived import Archived
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.values.archives import MD5
from tenantry.providers.values.limits import NOT_EMPTY


class Theme(Resource):
    """A theme that apps of the tenant can use. Its files are in a folder or a zip.

    `tenantry.providers.values.archives.read` returns `name` and `md5` of the files at `path`.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose apps can use it.")
    name: Property[str] = prop(
        "Name, unique among the themes of the tenant. It comes from the .qext file.", limits=NOT_EMPTY
    )
    md5: Property[str] = prop("MD5 of the zip.", limits=MD5)
    path: Property[str] = prop(
        "The folder or zip on this machine. Tenantry reads it when it sends it. The state does not contain "
        "the path.",
        default=None,
        change=Change.NOT_KEPT,
    )
    adopt: Property[bool] = prop(
        "Take over an existing theme with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )

    stored_md5: Property[str] = output("MD5 of the content that Qlik stored.", at_qlik=False)


class ThemeHandler(Archived):
    """CRUD handler of `Theme`. The .qext file in the archive has the type `theme`."""

    resource_type = Theme
    path = "/api/v1/themes"
    theme = True


HANDLER = ThemeHandler()
