"""Export of apps to files, and import from files."""

from __future__ import annotations

from tenantry.emulator.apis import apps, temp_contents
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.files import qvf_header, read_qvf_header
from tenantry.emulator.load_scripts import NO_DATA, load

UNNAMED = "Imported app"


@operation("apps", "exportApp")
def export(call: Call) -> Reply:
    """Export an app to temporary content.

    The caller must be an editor. From a managed space, a manager can export the app without its data.
    """
    app = apps.find(call)
    if apps.space_type(call, app["spaceId"]) == "managed":
        if not apps.manages_space(call, app):
            raise Refusal(403, detail="only the owner or a facilitator of the managed space may do this")
        if not call.query.get("NoData"):
            raise Refusal(
                403, detail="apps in managed spaces can be exported without data only (NoData=true)"
            )
    else:
        apps.require_editor(call, app)
    has_data = bool(app["lastReloadTime"]) and not call.query.get("NoData")
    header = qvf_header(app["name"], app["description"], app["_script"], has_data=has_data, data=app["_data"])
    entry = temp_contents.add(
        call, f"{app['name']}.qvf", header=header.decode(), file=app["_file"], offset=app["_offset"]
    )
    return Reply(201, headers={"location": f"/api/v1/temp-contents/{entry['id']}"})


@operation("apps", "importApp")
def import_(call: Call) -> Reply:
    """Create a new app from a file in the body or in temporary content."""
    query = call.query
    if query.get("mode", "NEW").upper() != "NEW" and not call.tolerates("autoreplace"):
        raise Refusal(403, detail="mode AUTOREPLACE is reserved for Qlik")
    if "appId" in query or "fallbackName" in query:
        raise Refusal(400, detail="appId and fallbackName are for .qvw files")
    space = query.get("spaceId", "")
    apps.check_target(call, space)
    key = _received_file(call)
    path = call.world.files.path(key)
    app_fields, offset = read_qvf_header(path)
    script = str(app_fields.get("script", apps.DEFAULT_SCRIPT))
    app = apps.add_app(
        call.world,
        call.tenant_id,
        call.user,
        name=query.get("name") or str(app_fields.get("name") or UNNAMED),
        space=space,
        description=str(app_fields.get("description", "")),
        lastReloadTime=iso(call.world.now()) if app_fields.get("hasData") else "",
        _script=script,
        _data=app_fields.get("data") or load(script, {}, 1) if app_fields.get("hasData") else NO_DATA,
        _file=key,
        _offset=offset,
        _size=path.stat().st_size,
    )
    return Reply(200, apps.view(call, app))


def _received_file(call: Call) -> str:
    """Return the key of the file in the body or of an earlier upload."""
    if call.upload and call.upload.size:
        if "fileId" in call.query:
            raise Refusal(400, detail="send either a file or fileId, not both")
        return call.world.files.store(call.upload)
    if "fileId" in call.query:
        return temp_contents.complete_file(call, call.query["fileId"])
    raise Refusal(400, detail="a file or fileId is required")
