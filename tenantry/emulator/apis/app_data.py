"""The metadata of an app's data: tables, fields and their sizes, but no values."""

from __future__ import annotations

from tenantry.emulator.apis import apps
from tenantry.emulator.call import Call, Reply, operation


@operation("apps", "getAppDataMetadata")
def metadata(call: Call) -> Reply:
    """Return the metadata of an app's data. It is empty for an app that was never reloaded."""
    app = apps.find(call)
    if not app["lastReloadTime"]:
        return Reply(200, {})
    properties = {
        "usage": app["usage"],
        "has_section_access": app["hasSectionAccess"],
        "tables_profiling_data": [],
    }
    size = sum(table["byte_size"] for table in app["_data"]["tables"])
    return Reply(200, {**app["_data"], **properties, "static_byte_size": size, "is_direct_query_mode": False})
