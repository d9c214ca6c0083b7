"""Temporary contents: files for exports and imports. You can upload them whole or in parts, with tus."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import quote

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.files import Content
from tenantry.emulator.store import Doc
from tenantry.emulator.world import new_id

TTL_SECONDS = 3600
MAX_TTL_SECONDS = 259_200
TUS = "1.0.0"


def add(call: Call, name: str, *, ttl: int = TTL_SECONDS, **fields: Any) -> Doc:
    """Add a temporary content.

    Args:
        name: file name for Content-Disposition.
        ttl: time to live, in seconds.
        fields: `header` (text before the file), `file` (its key), `offset` (start in the file, in bytes),
            `length` (bytes expected by a tus upload).
    """
    now = call.world.now()
    entry: Doc = {
        "id": new_id(),
        "name": name,
        "ttl": ttl,
        "expires": now + ttl,
        "created_at": now,
        "updated": now,
        "creator": call.user_id,
        "header": "",
        "file": "",
        "offset": 0,
        **fields,
    }
    return call.store.put(call.tenant_id, "temp-content", entry)


@operation("temp-contents", "uploadTempFile")
def upload(call: Call) -> Reply:
    """Receive a file in one request."""
    if call.upload is None or not call.upload.size:
        raise Refusal(400, detail="the body is empty")
    name = call.query.get("filename", "file")
    entry = add(call, name, ttl=call.query.get("ttl", TTL_SECONDS), file=call.world.files.store(call.upload))
    return Reply(201, headers={"location": f"/api/v1/temp-contents/{entry['id']}"})


@operation("temp-contents", "downloadTempFile")
def download(call: Call) -> Reply:
    """Return a file or a range of it."""
    entry = _find(call, call.path["id"])
    if not _is_complete(call, entry):
        return Reply(204)
    content = _content(call, entry)
    disposition = "inline" if call.query.get("inline") == "1" else "attachment"
    headers = {
        "content-type": "application/octet-stream",
        "content-disposition": f"{disposition}; filename*=UTF-8''{quote(entry['name'], safe='')}",
        "accept-ranges": "bytes",
    }
    range_header = call.headers.get("range")
    if not range_header:
        return Reply(200, headers=headers, content=content)
    start, end = _range(range_header, content.size)
    headers |= {"content-range": f"bytes {start}-{end - 1}/{content.size}"}
    return Reply(206, headers=headers, content=content, span=(start, end))


@operation("temp-contents", "getTempFileDetails")
def details(call: Call) -> Reply:
    """Describe a file."""
    entry = _find(call, call.path["id"])
    if not _is_complete(call, entry):
        return Reply(204)
    description = {
        "ID": entry["id"],
        "Name": entry["name"],
        "Size": str(_content(call, entry).size),
        "Expires": iso(entry["expires"]),
        "CreatedAt": iso(entry["created_at"]),
        "UpdatedAt": iso(entry["updated"]),
        "CreatorID": entry["creator"],
        "TTLSeconds": entry["ttl"],
    }
    return Reply(200, description)


@operation("temp-contents", "createTus")
def create_tus(call: Call) -> Reply:
    """Start an upload in parts."""
    _check_tus(call)
    length = call.headers.get("upload-length", "")
    if not re.fullmatch(r"\d{1,15}", length):
        raise Refusal(400, detail="header Upload-Length must be a number of bytes")
    metadata = _metadata(call.headers.get("upload-metadata", ""))
    ttl = metadata.get("ttl", str(TTL_SECONDS))
    if not re.fullmatch(r"\d{1,6}", ttl) or not 1 <= int(ttl) <= MAX_TTL_SECONDS:
        raise Refusal(400, detail=f"ttl must be 1 to {MAX_TTL_SECONDS} seconds")
    entry = add(call, metadata.get("filename", "file"), ttl=int(ttl), length=int(length), received=0)
    location = f"/api/v1/temp-contents/files/{entry['id']}"
    return Reply(201, headers={"location": location, "tus-resumable": TUS})


@operation("temp-contents", "patchTus")
def patch_tus(call: Call) -> Reply:
    """Receive the next part of an upload."""
    _check_tus(call)
    media_type = call.headers.get("content-type", "").partition(";")[0]
    if media_type != "application/offset+octet-stream" and not call.tolerates("content-types"):
        raise Refusal(415, "Unsupported media type", detail="send application/offset+octet-stream")
    entry = _find(call, call.path["id"])
    if call.headers.get("upload-offset", "") != str(entry.get("received", -1)):
        raise Refusal(
            409,
            detail=f"Upload-Offset must be {entry.get('received', 'absent: this is not a tus upload')}",
        )
    if call.upload is None or entry["received"] + call.upload.size > entry["length"]:
        raise Refusal(400, detail="the upload has more bytes than Upload-Length")
    received = entry["received"] + call.upload.size
    files = call.world.files
    key = files.append(entry["file"], call.upload) if entry["file"] else files.store(call.upload)
    call.store.put(
        call.tenant_id,
        "temp-content",
        entry | {"file": key, "received": received, "updated": call.world.now()},
    )
    return Reply(204, headers={"upload-offset": str(received), "tus-resumable": TUS})


def complete_file(call: Call, content_id: str) -> str:
    """Return the key of the file of a finished upload.

    Raises:
        Refusal: 404 if there is no such upload, or it has expired or is not finished.
    """
    entry = call.store.get(call.tenant_id, "temp-content", content_id)
    if entry is None or entry["expires"] <= call.world.now() or not _is_complete(call, entry):
        raise Refusal(404, detail="the file does not exist or has expired")
    if not entry["header"] and not entry["offset"]:
        return str(entry["file"])
    spool = call.world.files.spool()
    content = _content(call, entry)
    for chunk in content.chunks(0, content.size):
        spool.write(chunk)
    return call.world.files.store(spool)


def _find(call: Call, content_id: str) -> Doc:
    entry = call.store.get(call.tenant_id, "temp-content", content_id)
    if entry is None:
        raise Refusal(404)
    if entry["expires"] <= call.world.now():
        raise Refusal(410, detail="the content has expired")
    return entry


def _is_complete(call: Call, entry: Doc) -> bool:
    return "length" not in entry or entry["received"] == entry["length"]


def _content(call: Call, entry: Doc) -> Content:
    path = call.world.files.path(entry["file"]) if entry["file"] else None
    return Content(entry["header"].encode(), path, entry["offset"])


def _range(header: str, size: int) -> tuple[int, int]:
    """Return the start and the exclusive end of `bytes=0-100`, `bytes=5-` or `bytes=-5`."""
    match = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", header.strip())
    if not match or match.group(0) == "bytes=-":
        raise Refusal(400, detail="Range must be a single range of bytes")
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        raise Refusal(416, headers={"content-range": f"bytes */{size}"})
    return start, end


def _check_tus(call: Call) -> None:
    if call.headers.get("tus-resumable") != TUS:
        raise Refusal(412, detail=f"header Tus-Resumable must be {TUS}", headers={"tus-version": TUS})


def _metadata(header: str) -> dict[str, str]:
    """Parse `Upload-Metadata`, a comma-separated list of `key base64(value)`."""
    values = {}
    for entry in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = entry.partition(" ")
        try:
            values[key] = base64.b64decode(value, validate=True).decode()
        except (ValueError, binascii.Error):
            raise Refusal(400, detail="the values of Upload-Metadata must be base64") from None
    return values
