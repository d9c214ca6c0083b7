"""A request's body, received and held against the contract."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request

from tenantry.emulator.authentication import with_basic
from tenantry.emulator.call import Call
from tenantry.emulator.contract import Operation
from tenantry.emulator.errors import Invalid, Refusal

LARGEST_JSON = 500_000
"""Bytes; the Users API names it, the others only say that there is a limit."""


async def receive(request: Request, call: Call) -> None:
    """Set the call's `upload` or `body`.

    Raises:
        Invalid, Refusal: too much, missing or not what the operation takes.
        ClientDisconnect: the client left before it had sent everything.
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
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_JSON:
            raise Refusal(413 if "413" in operation.responses else 400, "Payload too large")
    if operation.body is None:
        return
    if not raw:
        if operation.body.get("required"):
            raise Invalid("the body is missing")
        return
    call.body = with_basic(call, _parsed(bytes(raw), request.headers, operation))
    operation.check_body(call.body)


def _parsed(raw: bytes, headers: Headers, operation: Operation) -> Any:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in operation.media_types:
        raise Invalid(f"content-type must be {' or '.join(operation.media_types)}")
    try:
        if media_type == "application/json":
            body = json.loads(raw, parse_constant=_no_constant)
            if b"\\u" in raw:
                # Half of a surrogate pair parses, and could never be sent back.
                json.dumps(body, ensure_ascii=False).encode()
            return body
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True))
    except (ValueError, RecursionError):
        raise Invalid("the body cannot be parsed") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
