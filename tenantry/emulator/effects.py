"""The effects of a fault on a response."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Send

from tenantry.emulator.errors import Refusal
from tenantry.emulator.faults import Fault


async def wait(fault: Fault) -> None:
    """Wait for `delay_ms`. If the rule has `hold`, also wait for its release."""
    if "delay_ms" in fault.rule:
        await asyncio.sleep(fault.rule["delay_ms"] / 1000)
    if fault.rule.get("hold"):
        await fault.released.wait()


def replacement(rule: dict[str, Any]) -> Response:
    """Return the response of a `status` rule, which replaces Qlik's own."""
    default = Refusal(rule["status"], "Injected fault", code=f"HTTP-{rule['status']}").body("")
    body = rule.get("body", default)
    headers = {"x-emulator-fault": "done" if rule.get("done") else "status", **rule.get("headers", {})}
    if isinstance(body, str):
        return Response(body, rule["status"], headers)
    return JSONResponse(body, rule["status"], headers)


def not_found(form: str, api: str) -> Response:
    """Return a 404 without a published code: `bare` has no body, anything else has an unknown code."""
    headers = {"x-emulator-fault": "not_found"}
    if form == "bare":
        return Response(status_code=404, headers=headers)
    return JSONResponse(Refusal(404, "Resource not found", code="NOT-FOUND").body(api), 404, headers)


def merge(response: Response, extra: dict[str, Any]) -> None:
    """Add members to the JSON object of a response."""
    if isinstance(response, JSONResponse):
        body = json.loads(bytes(response.body))
        if isinstance(body, dict):
            response.body = response.render(body | extra)
            response.headers["content-length"] = str(len(response.body))
            response.headers["x-emulator-fault"] = "merge"


async def send_half(response: Response, send: Send) -> None:
    """Announce the whole response and send half of it."""
    response.headers["x-emulator-fault"] = "truncate"
    body = bytes(response.body) if hasattr(response, "body") else b"x" * 100
    response.headers["content-length"] = str(max(len(body), 2))
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    # The socket is closed next. Give the sent bytes time to leave.
    await asyncio.sleep(0.02)
