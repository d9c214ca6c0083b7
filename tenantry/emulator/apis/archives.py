"""Themes and extensions: archives of files. The .qext file in each archive describes it."""

from __future__ import annotations

import hashlib
import json
import secrets
import zipfile
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.files import Content
from tenantry.emulator.forms import Part
from tenantry.emulator.store import Doc, public

MAX_BYTES = 30_000_000
MAX_UNPACKED_BYTES = 100_000_000
MAX_FILES = 500
QEXT_KEYS = ("name", "type", "description", "version", "icon", "homepage", "license")


def _register(api: str, kind: str) -> None:
    """Register handlers for an API of archives."""
    name = kind.capitalize()

    @operation(api, f"get{name}s")
    def listing(call: Call) -> Reply:
        return Reply(200, {"data": [public(doc) for doc in call.store.all(call.tenant_id, kind)]})

    @operation(api, f"create{name}")
    def create(call: Call) -> Reply:
        if not call.parts:
            raise Refusal(422, "Unprocessable entity", detail="file or data is required")
        now = iso(call.world.now())
        created: Doc = {
            "id": secrets.token_urlsafe(24),
            "tenantId": call.tenant_id,
            "userId": call.user_id,
            "createdAt": now,
            "_file": "",
        }
        return Reply(201, public(_save_form(call, kind, created)))

    @operation(api, f"get{name}ById")
    def get(call: Call) -> Reply:
        return Reply(200, public(_find(call, kind)))

    @operation(api, f"update{name}ById")
    def patch(call: Call) -> Reply:
        return Reply(200, public(_save_form(call, kind, _find(call, kind))))

    @operation(api, f"delete{name}ById")
    def delete(call: Call) -> Reply:
        call.store.delete(call.tenant_id, kind, _find(call, kind)["id"])
        return Reply(204)

    @operation(api, f"get{name}Archive")
    def download(call: Call) -> Reply:
        key = _find(call, kind)["_file"]
        if not key:
            raise Refusal(404)
        content = Content(b"", call.world.files.path(key), 0)
        return Reply(200, headers={"content-type": "application/zip"}, content=content)


def _find(call: Call, kind: str) -> Doc:
    found = call.store.get(call.tenant_id, kind, call.path["id"])
    if found is None:
        docs = call.store.all(call.tenant_id, kind)
        found = next((doc for doc in docs if doc.get("qextFilename") == call.path["id"]), None)
    if found is None:
        raise Refusal(404)
    return found


def _save_form(call: Call, kind: str, doc: Doc) -> Doc:
    """Store the archive and the other values of a form. The name must be unique."""
    doc = doc | {"updatedAt": iso(call.world.now())}
    if part := call.parts.get("file"):
        doc |= _store_archive(call, part)
    doc |= call.body.get("data") or {}
    if not doc.get("name"):
        raise Refusal(422, "Unprocessable entity", detail="name is required")
    if any(other["id"] != doc["id"] for other in call.store.by_name(call.tenant_id, kind, doc["name"])):
        raise Refusal(409, detail="the name is already in use")
    return call.store.put(call.tenant_id, kind, doc)


def _store_archive(call: Call, part: Part) -> Doc:
    """Store an archive and return the values that describe it."""
    if len(part.content) > MAX_BYTES:
        raise Refusal(413)
    try:
        with zipfile.ZipFile(BytesIO(part.content)) as archive:
            files = [member for member in archive.infolist() if not member.is_dir()]
            if len(files) > MAX_FILES or sum(file.file_size for file in files) > MAX_UNPACKED_BYTES:
                raise Refusal(422, "Unprocessable entity", detail="the files are too many or too large")
            contents = {file.filename: archive.read(file) for file in files}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
        raise Refusal(422, "Unprocessable entity", detail="file is not a zip archive") from None
    qext_names = [name for name in contents if name.endswith(".qext")]
    if len(qext_names) != 1:
        raise Refusal(422, "Unprocessable entity", detail="the archive must have exactly one .qext file")
    description = _parsed_qext(contents[qext_names[0]])
    content = _stored_content(part.content, contents)
    spool = call.world.files.spool()
    spool.write(content)
    return {
        **{name: description[name] for name in QEXT_KEYS if isinstance(description.get(name), str)},
        "qextVersion": str(description.get("version", "")),
        "qextFilename": PurePosixPath(qext_names[0]).stem,
        "file": {
            "contentType": "application/zip",
            "contentLength": len(content),
            "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "originalname": part.file_name,
        },
        "_file": call.world.files.store(spool),
    }


def _parsed_qext(text: bytes) -> dict[str, Any]:
    try:
        description = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        description = None
    if not isinstance(description, dict):
        raise Refusal(422, "Unprocessable entity", detail="the .qext file is not a JSON object")
    return description


def _stored_content(content: bytes, contents: dict[str, bytes]) -> bytes:
    """Return the archive to store. Qlik drops files without a name or an extension."""
    stored_files = {name: inner for name, inner in contents.items() if PurePosixPath(name).suffix}
    if len(stored_files) == len(contents):
        return content
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, inner in stored_files.items():
            archive.writestr(zipfile.ZipInfo(name), inner)
    return packed.getvalue()


_register("themes", "theme")
_register("extensions", "extension")
