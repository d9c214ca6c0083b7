"""Conversion of a handler's reply to the server's response."""

from __future__ import annotations

from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from tenantry.emulator.call import Reply


def response(reply: Reply) -> Response:
    """Return the response for a reply, with its cookies."""
    result = _without_cookies(reply)
    for name, value in reply.cookies.items():
        result.headers.append("set-cookie", f"{name}={value}; Path=/; HttpOnly")
    return result


def _without_cookies(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.content:
        start, end = reply.span or (0, reply.content.size)
        headers["content-length"] = str(end - start)
        return StreamingResponse(reply.content.chunks(start, end), reply.status, headers)
    if reply.text is not None:
        return HTMLResponse(reply.text, reply.status, headers)
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    return JSONResponse(reply.body, reply.status, headers)
