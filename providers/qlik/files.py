"""Downloads. A part file beside the target receives the content, and replaces the target once complete."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tenantry.providers.qlik import responses
from tenantry.providers.qlik.messages import Request, Response

COMPLETE = 200
NOT_COMPLETE_YET = 204

POLL_SECONDS = 1.0
"""The pause between two requests for content that is not complete yet."""

TEXT_TYPES = ("text/", "application/json", "application/xml", "application/xhtml")


def is_page(content_type: str, file: Path) -> bool:
    """Tell whether a download is a page or a message instead of a file, by its type or its beginning."""
    if content_type.strip().lower().startswith(TEXT_TYPES):
        return True
    with file.open("rb") as opened:
        return (
            opened.read(256)
            .lstrip(b"\xef\xbb\xbf \t\r\n")
            .lower()
            .startswith((b"<!doctype", b"<html", b"<?xml", b'{"errors"'))
        )


def download(
    fetch: Callable[[Request], Response], request: Request, to: Path, pause: Callable[[float, str], None]
) -> int:
    """Write the response of `request` to `to`, and return the number of bytes.

    204 means that the content is not complete yet (Temporary contents API). The request is repeated until
    `pause` raises because the time is over. After an error, `to` is unchanged.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{to.name}.", suffix=".part", dir=to.parent)
    os.close(descriptor)
    part = Path(name)
    try:
        while (response := fetch(replace(request, into=part))).status == NOT_COMPLETE_YET:
            pause(POLL_SECONDS, f"{request.host}{request.plain_path} to be complete")
        if response.status != COMPLETE:
            raise responses.unexpected(request, response, "without the whole content")
        if is_page(response.headers.get("Content-Type", ""), part):
            raise responses.unexpected(request, response, "with a page or a message instead of a file")
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return response.length
