"""The load scripts of apps and their versions."""

from __future__ import annotations

import uuid

from tenantry.emulator.apis import apps
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc

KIND = "script-version"


@operation("apps", "getAppScriptHistory")
def history(call: Call) -> Reply:
    """List the versions, newest first, without their texts."""
    app = apps.find(call)
    found = _versions(call, app)[: int(call.query.get("limit", 100))]
    return Reply(200, {"scripts": [_meta(version) for version in found], "links": {}, "privileges": ["read"]})


@operation("apps", "updateAppScript")
def post(call: Call) -> Reply:
    """Replace the whole script. The response has no body."""
    app = apps.find(call)
    apps.require_editor(call, app)
    version: Doc = {
        "id": str(uuid.uuid4()),
        "app": app["id"],
        "script": call.body.get("script", ""),
        "versionMessage": call.body.get("versionMessage", ""),
        "modifiedTime": iso(call.world.now()),
        "modifierId": call.user_id,
        "number": len(_versions(call, app)),
    }
    call.store.put(call.tenant_id, KIND, version, parent=app["id"])
    apps.save_changes(call, app, _script=version["script"])
    return Reply(200)


@operation("apps", "getAppScript")
def get(call: Call) -> Reply:
    """Read the text of one version. `current` reads the current script."""
    app = apps.find(call)
    versions = _versions(call, app)
    if call.path["id"] == "current":
        message = versions[0]["versionMessage"] if versions else ""
        return Reply(200, {"script": app["_script"], "versionMessage": message})
    for version in versions:
        if version["id"] == call.path["id"]:
            return Reply(200, {name: version[name] for name in ("script", "versionMessage")})
    raise Refusal(404)


def _versions(call: Call, app: Doc) -> list[Doc]:
    found = [version for version in call.store.all(call.tenant_id, KIND) if version["app"] == app["id"]]
    return sorted(found, key=lambda version: -int(version["number"]))


def _meta(version: Doc) -> Doc:
    metadata = {name: version[name] for name in ("modifiedTime", "modifierId", "versionMessage")}
    return {"scriptId": version["id"], "size": len(version["script"]), **metadata}
