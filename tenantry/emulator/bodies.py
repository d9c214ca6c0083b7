"""Receive the body of a request and check it against the contract."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request

from tenantry.emulator.authentication import with_basic_credentials
from tenantry.emulator.call import Call
from tenantry.emulator.errors import Invalid, Refusal
from tenantry.emulator.forms import parts_of

FORM = "application/x-www-form-urlencoded"
MAX_FORM_BYTES = 31_000_000
"""The largest form: the largest archive, plus the form around it."""
MAX_FORM_BYTES_OF = {"data-files": 106_000_000}
"""The largest form of the APIs that accept larger files."""
MAX_JSON_BYTES = 500_000
"""The largest JSON body. The Users API publishes this limit. The other APIs only say that they have one."""


async def receive(request: Request, call: Call) -> None:
    """Set the call's `upload` or `body`.

    Raises:
        Invalid, Refusal: the body is too large, is missing, or does not match the contract.
        ClientDisconnect: the client disconnected before it had sent everything.
    """
    operation = call.operation
    if operation.is_upload:
        call.upload = call.world.files.spool()
        try:
            async for chunk in request.stream():
                call.upload.write(chunk)
        except BaseException:
            call.upload.discard()
            raise
        return
    form = operation.form
    limit = MAX_FORM_BYTES_OF.get(operation.api, MAX_FORM_BYTES) if form else MAX_JSON_BYTES
    raw = await read(request, limit)
    if raw is None:
        raise Refusal(413 if "413" in operation.responses else 400, "Payload too large")
    if operation.body is None:
        return
    if not raw:
        if operation.body.get("required"):
            raise Invalid("the body is missing")
        return
    if form:
        try:
            call.parts = parts_of(raw, request.headers, form)
        except Refusal as refusal:
            is_published = str(refusal.status) in operation.responses
            raise refusal if is_published else Refusal(400, detail=refusal.detail) from None
        values = {name: part.value for name, part in call.parts.items()}
        call.body = values
        operation.check_body(values, drop_unknown=call.tolerates("unknown-members"))
        return
    call.body = with_basic_credentials(call, _parsed(raw, request.headers, call))
    operation.check_body(call.body, drop_unknown=call.tolerates("unknown-members"))


def _parsed(raw: bytes, headers: Headers, call: Call) -> Any:
    allowed = call.operation.media_types
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in allowed and not call.tolerates("content-types"):
        raise Invalid(f"content-type must be {' or '.join(allowed)}")
    try:
        if media_type == FORM and FORM in allowed:
            return dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True))
        return parsed_json(raw)
    except ValueError:
        raise Invalid("the body cannot be parsed") from None


async def read(request: Request, max_bytes: int = MAX_JSON_BYTES) -> bytes | None:
    """Return the body of a request that is not an upload, or None if it has more than `max_bytes` bytes."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > max_bytes:
            return None
    return bytes(raw)


def parsed_json(raw: bytes) -> Any:
    """Return the value of a strict JSON text, which can be sent back unchanged.

    Raises:
        ValueError: the text is not JSON, or has something that only Python's own reader accepts: `NaN`, a
            number beyond any float, or half of a surrogate pair.
    """
    try:
        value = json.loads(raw, parse_constant=_no_constant, parse_float=_finite)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number
