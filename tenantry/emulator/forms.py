"""Multipart forms (multipart/form-data, RFC 7578), which send files and other values together."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from starlette.datastructures import Headers

from tenantry.emulator.errors import Invalid, Refusal

MEDIA_TYPE = "multipart/form-data"
JSON = "application/json"
ANY = "*/*"
"""The contract's mark for a part of any media type."""


@dataclass(frozen=True)
class Part:
    """One part of a form. `file_name` is empty if the part is not a file."""

    content: bytes
    media_type: str
    file_name: str
    value: Any
    """The value that is checked against the contract's schema: parsed JSON if the part is JSON, else text."""


def parts_of(raw: bytes, headers: Headers, media_types: Mapping[str, str]) -> dict[str, Part]:
    """Return the parts of a form by name.

    Args:
        media_types: part name -> the media types that the contract allows, separated by commas.

    Raises:
        Invalid, Refusal: the body is not a form, a part occurs twice, or a part has a wrong media type.
    """
    content_type = headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Invalid(f"content-type must be {MEDIA_TYPE}")
    boundary = _parameter("content-type", content_type, "boundary")
    pieces = (b"\r\n" + raw).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if not boundary or pieces[0] or not pieces[-1].startswith(b"--"):
        raise Invalid("the form cannot be parsed")
    parts: dict[str, Part] = {}
    for piece in pieces[1:-1]:
        name, part = _part(piece, media_types)
        if name in parts:
            raise Invalid("given twice", pointer=f"/{name}")
        parts[name] = part
    return parts


def _part(piece: bytes, media_types: Mapping[str, str]) -> tuple[str, Part]:
    head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        raise Invalid("a part of the form has no content")
    headers = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.*?)\r?$", head.decode("utf-8", "replace")))
    fields = {name.lower(): value for name, value in headers.items()}
    disposition = fields.get("content-disposition", "")
    name = _parameter("content-disposition", disposition, "name")
    media_type = fields.get("content-type", "text/plain").partition(";")[0].strip().lower()
    allowed = [allowed_type.strip() for allowed_type in media_types.get(name, "text/plain").split(",")]
    if name in media_types and media_type not in allowed and ANY not in allowed:
        raise Refusal(415, "Unsupported media type", detail=f"{name} must be {' or '.join(allowed)}")
    file_name = _parameter("content-disposition", disposition, "filename")
    return name, Part(content, media_type, file_name, _value(content, media_type, file_name, name))


def _value(content: bytes, media_type: str, file_name: str, name: str) -> Any:
    if file_name:
        return ""
    try:
        text = content.decode()
        return json.loads(text) if media_type == JSON else text
    except (ValueError, RecursionError):
        raise Refusal(415, "Unsupported media type", detail=f"{name} cannot be parsed") from None


def _parameter(header: str, value: str, name: str) -> str:
    """Return a parameter of a header; empty if the header does not have it."""
    message = Message()
    message[header] = re.sub(r"[\r\n]", " ", value)
    found = message.get_param(name, "", header)
    return found if isinstance(found, str) else ""
