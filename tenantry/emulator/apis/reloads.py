"""Reloads of apps. A reload waits in the queue, runs by the emulator's clock, then succeeds or fails."""

from __future__ import annotations

import re

from tenantry.emulator.apis import apps, spaces
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Invalid, Refusal
from tenantry.emulator.load_scripts import load
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc, public
from tenantry.emulator.world import World, new_id

KIND = "reload"
QUEUED_SHARE = 0.2
"""The share of a reload's time that it waits in the queue."""

CONNECTION = re.compile(
    r"lib://(?:(?P<space>[^:\]/']+):)?(?P<name>[^\]/']+)|CONNECT\s+TO\s+'(?P<to>[^']+)'", re.I
)
READING_STATEMENT = re.compile(r"\b(?:LOAD|SQL|SELECT|LIB CONNECT)\b", re.I)
FILTER = re.compile(r'\s*(status|partial|type) eq "([^"]*)"\s*', re.I)


@operation("reloads", "getReloads")
def listing(call: Call) -> Reply:
    """List the reloads of an app. An administrator can list those of all apps."""
    app_id = call.query.get("appId", "")
    if app_id:
        _app(call, app_id)
    elif not call.is_admin:
        raise Refusal(403, code="RELOADS-003", detail="appId is missing")
    conditions = [_condition(part) for part in call.query.get("filter", "").split(" and ") if part]
    found = [view(call.world, doc) for doc in call.store.all(call.tenant_id, KIND)]
    found = [doc for doc in found if app_id in ("", doc["appId"])]
    found = [
        doc for doc in found if all(str(doc.get(name, "")).lower() == value for name, value in conditions)
    ]
    data, links = page(call, found, default=10, sort="-creationTime")
    if not call.query.get("log"):
        data = [{name: value for name, value in doc.items() if name != "log"} for doc in data]
    return Reply(200, {"data": data, "links": links})


@operation("reloads", "queueReload")
def queue(call: Call) -> Reply:
    """Queue a reload. An app can have only one reload at a time."""
    app = _app(call, call.body["appId"])
    apps.require_editor(call, app)
    for other in call.store.all(call.tenant_id, KIND):
        if other["appId"] == app["id"] and call.world.now() < other["_ends"]:
            raise Refusal(
                429, "Too many requests", code="RELOADS-004", detail="a reload of the app is pending"
            )
    now, world = call.world.now(), call.world
    error = world.settings.reload_error or _missing_connection(call, app)
    duration = world.settings.reload_ms / 1000
    created: Doc = {
        "id": new_id(),
        "appId": app["id"],
        "tenantId": call.tenant_id,
        "userId": call.user_id,
        "type": "hub",
        "partial": bool(call.body.get("partial")),
        "weight": call.body.get("weight", 1),
        "creationTime": iso(now),
        "_starts": now + duration * QUEUED_SHARE,
        "_ends": now + duration,
        "_error": error,
        "_statement": _statement(app, error),
        "_variables": call.body.get("variables", {}),
    }
    call.store.put(call.tenant_id, KIND, created)
    if not error:
        data = load(app["_script"], created["_variables"], int(world.settings.reload_rows))
        apps.save(world, call.tenant_id, app | {"_loaded_at": created["_ends"], "_loading": data})
    return Reply(201, view(world, created, queued=True))


@operation("reloads", "getReload")
def get(call: Call) -> Reply:
    """Read a reload with its log."""
    return Reply(200, view(call.world, _find(call)))


@operation("reloads", "cancelReload")
def cancel(call: Call) -> Reply:
    """Cancel a reload that is queued or running."""
    doc = _find(call)
    app = apps.find(call, doc["appId"])
    apps.require_editor(call, app)
    if call.world.now() >= doc["_ends"]:
        raise Refusal(409, detail="the reload has ended")
    doc |= {"_ends": call.world.now(), "_cancelled": True}
    call.store.put(call.tenant_id, KIND, doc)
    apps.save(
        call.world, call.tenant_id, {name: value for name, value in app.items() if name != "_loaded_at"}
    )
    return Reply(202, {"status": "CANCELING"})


def view(world: World, doc: Doc, *, queued: bool = False) -> Doc:
    """Return a reload as the API shows it now. With `queued`, return the response to its creation."""
    now, result = world.now(), public(doc)
    if queued or now < doc["_starts"]:
        return result | {"status": "QUEUED"}
    result |= {"startTime": iso(doc["_starts"]), "log": _log(doc, ended=now >= doc["_ends"])}
    if now < doc["_ends"]:
        return result | {"status": "RELOADING"}
    result |= {"endTime": iso(doc["_ends"])}
    if doc.get("_cancelled"):
        return result | {"status": "CANCELED"}
    if doc["_error"]:
        error = {"errorCode": "EngineReloadError", "errorMessage": doc["_error"]}
        return result | {"status": "FAILED", **error}
    return result | {"status": "SUCCEEDED", "engineTime": iso(doc["_ends"])}


def _find(call: Call) -> Doc:
    doc = call.store.get(call.tenant_id, KIND, call.path["reloadId"])
    if doc is None:
        raise Refusal(404)
    apps.find(call, doc["appId"])
    return doc


def _app(call: Call, id: str) -> Doc:
    """Return an app that the caller may see. Qlik documents no 404 here, so an unknown app gets a 403."""
    try:
        return apps.find(call, id or "-")
    except Refusal:
        raise Refusal(403, code="RELOADS-003", detail="the caller may not reload this app") from None


def _condition(text: str) -> tuple[str, str]:
    found = FILTER.fullmatch(text)
    if not found:
        raise Invalid("not a filter of this list", parameter="filter")
    return found[1].lower(), found[2].lower()


def _missing_connection(call: Call, app: Doc) -> str:
    """Return an error if a connection in the script does not exist; empty if all exist."""
    for found in CONNECTION.finditer(app["_script"]):
        name, space = found["name"] or found["to"], found["space"] or ""
        if found["to"] and ":" in name:
            space, _, name = name.partition(":")
        if (
            not any(
                connection["qName"] == name and _is_in(call, connection["space"], space, app)
                for connection in call.store.all(call.tenant_id, "data-connection")
            )
            and name != "DataFiles"
        ):
            return f"Connection '{f'{space}:' if space else ''}{name}' was not found"
    return ""


def _is_in(call: Call, space_id: str, name: str, app: Doc) -> bool:
    if not name:
        return space_id == str(app["spaceId"])
    space = call.store.get(call.tenant_id, "space", space_id) if space_id else None
    return bool(space and space["name"] == name and spaces.roles_in(call.world, space, call.user))


def _statement(app: Doc, error: str) -> str:
    """Return the first statement that reads data, if the reload fails."""
    statements = (part.strip() for part in app["_script"].split(";") if READING_STATEMENT.search(part))
    return f"{next(statements, '')};" if error else ""


def _log(doc: Doc, *, ended: bool) -> str:
    """Return the log as the data load editor shows it."""
    lines = ["Started loading data", ""]
    if ended and doc["_error"]:
        lines += ["The following error occurred:", doc["_error"], "", "The error occurred here:"]
        lines += [
            doc["_statement"] or "?",
            "",
            "Data has not been loaded. Please correct the error and try again.",
        ]
    elif ended:
        lines += ["Finished successfully"]
    return "\n".join(lines)
