"""Publishing of apps to managed spaces."""

from __future__ import annotations

from tenantry.emulator.apis import apps, spaces
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc

CONTENT = ("usage", "hasSectionAccess", "isDirectQueryMode", "_script", "_file", "_offset", "_size")
"""The fields that are copied from the source, besides the data."""

DATA = ("lastReloadTime", "_data")


@operation("apps", "publishApp")
def publish(call: Call) -> Reply:
    """Copy an app into a managed space. Each call creates a new app with its own id."""
    source = _source(call)
    space = _target_space(call, call.body.get("spaceId", ""))
    new_attributes = call.body.get("attributes", {})
    if call.body.get("moveApp"):
        return _move(call, source, space)
    now = call.world.now()
    app = apps.add_app(
        call.world,
        call.tenant_id,
        call.user,
        name=new_attributes.get("name") or source["name"],
        space=space["id"],
        description=new_attributes.get("description", source["description"]),
        publishTime=iso(now),
        originAppId=source["id"],
        # `target` keeps the target's data, but a new app has none.
        **({} if call.body.get("data") == "target" else {name: source[name] for name in DATA}),
        _published_at=now,
        **{name: source[name] for name in CONTENT},
    )
    return Reply(200, apps.view(call, app))


@operation("apps", "republishApp")
def republish(call: Call) -> Reply:
    """Replace the content of a published app. Its id, its address and its users' own sheets do not change."""
    source = _source(call)
    target_id = call.body.get("targetId", "")
    if not target_id:
        raise Refusal(400, detail="targetId is missing")
    target = apps.find(call, target_id)
    if not target["publishTime"]:
        raise Refusal(400, detail="targetId is not a published app")
    space = call.store.get(call.tenant_id, "space", target["spaceId"])
    _require_publisher(call, space or {})
    if call.body.get("checkOriginAppId", True) and target["originAppId"] != source["id"]:
        raise Refusal(400, detail="checkOriginAppId is true, but the target was published from another app")
    changes = dict(call.body.get("attributes", {})) | {name: source[name] for name in CONTENT}
    if call.body.get("data", "source") == "source":
        changes |= {name: source[name] for name in DATA}
    changes |= {"originAppId": source["id"], "publishTime": iso(call.world.now())}
    return Reply(200, apps.view(call, apps.save_changes(call, target, **changes)))


def _source(call: Call) -> Doc:
    source = apps.find(call)
    if apps.space_type(call, source["spaceId"]) == "managed":
        raise Refusal(403, detail="an app in a managed space cannot be published")
    apps.require_editor(call, source)
    return source


def _target_space(call: Call, space_id: str) -> Doc:
    if not space_id:
        raise Refusal(400, detail="spaceId is missing")
    space = call.store.get(call.tenant_id, "space", space_id)
    if space is None:
        raise Refusal(404, detail="there is no such space")
    if space["type"] != "managed":
        raise Refusal(
            400, detail=f"apps can be published to managed spaces only. This space is {space['type']}"
        )
    _require_publisher(call, space)
    if call.world.now() < space["_created_at"] + call.world.settings.space_ready_ms / 1000:
        raise Refusal(403, detail="the caller may not publish to this space")
    return space


def _require_publisher(call: Call, space: Doc) -> None:
    if not space or spaces.PUBLISHER not in spaces.roles_in(call.world, space, call.user):
        raise Refusal(403, detail="only the owner or a publisher of the space may do this")


def _move(call: Call, source: Doc, space: Doc) -> Reply:
    origin = call.body.get("originAppId")
    if not origin:
        raise Refusal(400, detail="moveApp needs originAppId")
    now = call.world.now()
    moved = apps.save_changes(
        call,
        source,
        **call.body.get("attributes", {}),
        spaceId=space["id"],
        originAppId=origin,
        publishTime=iso(now),
        _published_at=now,
    )
    return Reply(200, apps.view(call, moved))
