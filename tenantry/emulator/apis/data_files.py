"""Data files of spaces: upload as forms, copy, rename and move. The emulator has no folders."""

from __future__ import annotations

import uuid
from fnmatch import fnmatchcase
from typing import Any

from tenantry.emulator.apis import spaces, temp_contents
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc, public

KIND = "data-file"
MAX_BYTES = 104_857_600
"""The largest file in a form. The emulator keeps it in memory. Qlik's sample allows five times as much."""
MAX_LARGE_BYTES = 6_442_450_944
EXTENSIONS = ("csv", "json", "parquet", "qvd", "txt", "xls", "xlsx", "xml")
INTERNAL_EXTENSIONS = ("dxf", "gml", "qrep")
CURSORS = ("page", "")
FOLDERS = ("folder", "folderId", "folderMergeBehavior")
"""Members of a body that are about folders."""


def connection_id(space: str) -> str:
    """Return the id of a space's data file connection. For a user id, of that user's personal space."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"data files of {space}"))


@operation("data-files", "listDataFiles")
def listing(call: Call) -> Reply:
    """List the files of a space, or all files that the caller may see."""
    query = call.query
    if "folderId" in query or "folderPath" in query:
        raise _no_folders()
    all_spaces = query.get("includeAllSpaces") and "connectionId" not in query
    space = None if all_spaces else _space(call, query.get("connectionId"))
    found = [
        file
        for file in call.store.all(call.tenant_id, KIND)
        if (_is_visible(call, file) if all_spaces else file["_parent"] == space)
        and _matches_query(file, query)
    ]
    docs, links = page(call, found, default=20, sort="name", key=_position, cursors=CURSORS)
    return Reply(200, {"data": [_view(file) for file in docs], "links": links})


@operation("data-files", "addDataFile")
def upload(call: Call) -> Reply:
    """Upload a file. Its name is unique in the space."""
    now = iso(call.world.now())
    created: Doc = {"id": str(uuid.uuid4()), "createdDate": now, "_file": ""}
    return Reply(201, _view(_write(call, created, now)))


@operation("data-files", "readDataFile")
def get(call: Call) -> Reply:
    """Read the metadata of a file."""
    return Reply(200, _view(_find(call)))


@operation("data-files", "replaceDataFile")
def put(call: Call) -> Reply:
    """Replace a file. Move it to the space of the connection, by default the caller's personal space."""
    doc = _find(call)
    _require_writer(call, doc["_parent"])
    return Reply(201, _view(_write(call, doc, iso(call.world.now()))))


@operation("data-files", "removeDataFile")
def delete(call: Call) -> Reply:
    """Delete a file."""
    doc = _find(call)
    _require_writer(call, doc["_parent"])
    call.store.delete(call.tenant_id, KIND, doc["id"])
    return Reply(204)


@operation("data-files", "listDataFileConnections")
def connections(call: Call) -> Reply:
    """List the connections of the spaces that the caller may see, and of the caller's personal space."""
    query = call.query
    found = _connections(call)
    if "spaceId" in query:
        found = [connection for connection in found if connection.get("spaceId") == query["spaceId"]]
    elif query.get("personal"):
        found = [connection for connection in found if "spaceId" not in connection]
    if "name" in query:
        found = [connection for connection in found if connection["name"] == query["name"]]
    docs, links = page(call, found, default=20, sort="spaceId", cursors=CURSORS)
    return Reply(200, {"data": docs, "links": links})


@operation("data-files", "readDataFileConnection")
def connection(call: Call) -> Reply:
    """Read one connection."""
    found = next((item for item in _connections(call) if item["id"] == call.path["id"]), None)
    if found is None:
        raise Refusal(404, code="HTTP-404")
    return Reply(200, found)


@operation("data-files", "readDataFileQuotas")
def quotas(call: Call) -> Reply:
    """Return the caller's upload quotas."""
    own_files = [file for file in call.store.all(call.tenant_id, KIND) if file["ownerId"] == call.user_id]
    limits = {
        "size": sum(file["size"] for file in own_files),
        "maxSize": 2**63 - 1,
        "maxFileSize": MAX_BYTES,
        "maxLargeFileSize": MAX_LARGE_BYTES,
        "allowedExtensions": list(EXTENSIONS),
        "allowedInternalExtensions": list(INTERNAL_EXTENSIONS),
    }
    return Reply(200, limits)


def _write(call: Call, doc: Doc, now: str) -> Doc:
    """Store the name, the space and the content that a form sends."""
    attributes: dict[str, Any] = call.body["Json"]
    if any(attributes.get(name) for name in FOLDERS):
        raise _no_folders()
    space = _space(call, attributes.get("connectionId"))
    _require_writer(call, space)
    name = str(attributes.get("name", doc.get("name", "")))
    _check_name(call, name, space, doc["id"])
    content = _content(call, attributes)
    if not content and not doc["_file"]:
        raise Refusal(400, code="HTTP-400", detail="the form has no part File")
    if space != call.user_id:
        doc["spaceId"] = space
    else:
        doc.pop("spaceId", None)
    app_id = {"appId": attributes["appId"]} if "appId" in attributes else {}
    content_change = {"ownerId": call.user_id, "contentUpdatedDate": now} if content else {}
    doc |= {"name": name, "_parent": space, "modifiedDate": now, **app_id, **content, **content_change}
    return call.store.put(call.tenant_id, KIND, doc, parent=space)


def _content(call: Call, attributes: dict[str, Any]) -> Doc:
    """Return the key and size of the content that a form contains or references; `{}` if there is none."""
    part = call.parts.get("File")
    if part is not None:
        if len(part.content) > MAX_BYTES:
            raise Refusal(413, code="HTTP-413", detail=f"a file has at most {MAX_BYTES} bytes")
        spool = call.world.files.spool()
        spool.write(part.content)
        return {"_file": call.world.files.store(spool), "size": len(part.content)}
    if "tempContentFileId" in attributes:
        try:
            key = temp_contents.complete_file(call, attributes["tempContentFileId"])
        except Refusal as refusal:
            raise Refusal(400, code="DF-012", detail=refusal.detail) from None
        return {"_file": key, "size": call.world.files.path(key).stat().st_size}
    if "sourceId" in attributes:
        source = call.store.get(call.tenant_id, KIND, attributes["sourceId"])
        if source is None or not _is_visible(call, source):
            raise Refusal(400, code="DF-017", detail="sourceId is not a data file of this tenant")
        return {"_file": source["_file"], "size": source["size"]}
    return {}


def _check_name(call: Call, name: str, space: str, own_id: str) -> None:
    base = name.rpartition("/")[2]
    if "/" in name:
        raise _no_folders()
    if not base or base.strip() != base or "\\" in base or base in (".", ".."):
        raise Refusal(400, code="DF-015", detail="the name is not in canonical form")
    stem, dot, extension = base.rpartition(".")
    if not (stem and dot and extension):
        raise Refusal(400, code="DF-011", detail="the name has no extension")
    if extension.casefold() not in (*EXTENSIONS, *INTERNAL_EXTENSIONS):
        raise Refusal(400, code="DF-010", detail="files with this extension are not accepted")
    for other in call.store.all(call.tenant_id, KIND, parent=space):
        if other["name"] == name and other["id"] != own_id:
            raise Refusal(409, code="HTTP-409", detail="the space already has a data file with this name")


def _connections(call: Call) -> list[Doc]:
    visible_ids = [
        space["id"] for space in call.store.all(call.tenant_id, "space") if _is_space_visible(call, space)
    ]
    return [_connection(call.user_id), *(_connection(id, spaceId=id) for id in visible_ids)]


def _connection(owner: str, **fields: str) -> Doc:
    return {
        "id": connection_id(owner),
        "name": "DataFiles",
        "type": "qix-datafiles.exe",
        "connectStatement": 'CUSTOM CONNECT TO "provider=qix-datafiles.exe;path=datafiles;"',
        **fields,
    }


def _space(call: Call, connection: str | None) -> str:
    """Return the id of a connection's space, or the caller's user id for the personal space."""
    if connection is None:
        return call.user_id
    found = next((item for item in _connections(call) if item["id"] == connection), None)
    if found is None:
        raise Refusal(400, code="DF-014", detail="there is no such connection")
    return str(found.get("spaceId", call.user_id))


def _is_space_visible(call: Call, space: Doc) -> bool:
    return call.is_admin or bool(spaces.roles_in(call.world, space, call.user))


def _is_visible(call: Call, doc: Doc) -> bool:
    space = call.store.get(call.tenant_id, "space", doc["_parent"])
    return doc["_parent"] == call.user_id if space is None else _is_space_visible(call, space)


def _require_writer(call: Call, owner: str) -> None:
    space = call.store.get(call.tenant_id, "space", owner)
    if space is not None:
        spaces.require_manager(call, space)


def _find(call: Call) -> Doc:
    doc = call.store.get(call.tenant_id, KIND, call.path["id"])
    if doc is None or not _is_visible(call, doc):
        raise Refusal(404, code="HTTP-404")
    return doc


def _matches_query(doc: Doc, query: dict[str, Any]) -> bool:
    is_internal = doc["name"].rpartition(".")[2].casefold() in INTERNAL_EXTENSIONS
    app = query.get("appId")
    return (
        not query.get("excludeFiles")
        and (not is_internal or bool(query.get("allowInternalFiles")))
        and (("appId" in doc) if app == "*" else doc.get("appId") == app)
        and doc["name"] == query.get("name", doc["name"])
        and fnmatchcase(doc["name"], query.get("baseNameWildcard", "*").replace("[", "[[]"))
        and doc["ownerId"] == query.get("ownerId", doc["ownerId"])
        and doc["ownerId"] != query.get("notOwnerId")
    )


def _position(doc: Doc, name: str) -> str:
    """Return the sort value of a file, as text."""
    return f"{doc['size']:020d}" if name == "size" else str(doc.get(name, doc["name"])).casefold()


def _view(doc: Doc) -> Doc:
    actions = ["read", "update", "delete", "list", "change_owner", "change_space"]
    return public(doc) | {"baseName": doc["name"], "folder": False, "actions": actions}


def _no_folders() -> Refusal:
    return Refusal(400, "Not covered", code="EMULATOR-NOT-COVERED", detail="the emulator has no folders")
