"""Conversion of Qlik's error responses, which differ from API to API, into the classes of `errors`.

The envelope is `{errors: [{code, title, detail?, status?, source?, meta?}], traceId}`. `status` may be text,
a number or absent. The spaces API repeats the fields at the top level. A proxy may answer in HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from tenantry.providers.qlik.advice import DISABLED, advice
from tenantry.providers.qlik.errors import (
    ApiError,
    Conflict,
    Forbidden,
    HostUnknown,
    NotFound,
    PreconditionFailed,
    Problem,
    RateLimited,
    ReloadIsPending,
    ServerError,
    TenantDisabled,
    Unauthorized,
    UnexpectedResponse,
)
from tenantry.providers.qlik.messages import Request, Response
from tenantry.providers.qlik.redaction import redacted

BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    410: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    429: RateLimited,
}

MAX_TEXT_CHARACTERS = 500
"""The length of a text from a response in a message."""

UNEXPECTED_VALUE_ERRORS = (
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RecursionError,
)
"""The errors that code raises for an unexpected value."""

_last: ContextVar[tuple[Request, Response] | None] = ContextVar("last_response", default=None)


def api_error(request: Request, response: Response, now: float) -> ApiError:
    """Return the error for a status of 400 or more.

    `now` is in seconds since 1970. A date in Retry-After is compared with it.
    """
    body = _json(response)
    found = problems(body) or ([Problem(detail=_plain_text(response))] if body is None else [])
    codes = {problem.code for problem in found}
    error_type = BY_STATUS.get(response.status, ServerError if response.status >= 500 else ApiError)
    if response.status == 401 and codes & DISABLED:
        error_type = TenantDisabled
    if error_type is RateLimited and any(code.startswith("RELOADS-") for code in codes):
        error_type = ReloadIsPending
    if error_type is NotFound and request.client_source:
        error_type = HostUnknown
    return error_type(
        request,
        response.status,
        [_without_secrets(problem, request) for problem in found],
        trace_id=_shown(trace_id(body, response), request),
        retry_after=retry_after(response, now),
        enveloped=isinstance(body, dict) and isinstance(body.get("errors"), list) and any(codes),
        advice=advice(request, response.status, codes),
    )


def unexpected(request: Request, response: Response, what: str) -> UnexpectedResponse:
    """Return the error for an unusable response. `what` completes "answered 200"."""
    return UnexpectedResponse(
        request,
        response.status,
        [Problem(detail=what)],
        trace_id=_shown(trace_id(None, response), request),
        advice="Run it again. If the error stays, a proxy may answer for Qlik, or the API has changed.",
    )


def remember(request: Request, response: Response) -> None:
    """Record the response that the caller is about to read, for `translated_errors`."""
    _last.set((request, response))


@contextmanager
def translated_errors() -> Iterator[None]:
    """Convert the block's errors about unexpected values into UnexpectedResponse, for the last response read.

    If it read none, the error is a defect of this program and stays unchanged.
    """
    token = _last.set(None)
    try:
        yield
    except UNEXPECTED_VALUE_ERRORS as error:
        last = _last.get()
        if last is None:
            raise
        raise unexpected(*last, f"with a value that this program cannot use ({_place(error)})") from None
    finally:
        _last.reset(token)


def _place(error: BaseException) -> str:
    """Return the type and place of an error, without its text, which may contain a sent value."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    where = f" at {Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}" if step else ""
    return f"{type(error).__name__}{where}"


def problems(body: Any) -> list[Problem]:
    """Return the entries of `errors[]`, or the one at the top level. Accepts a body of any shape."""
    if not isinstance(body, dict):
        return []
    entries = body.get("errors")
    entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [problem for entry in entries or [body] if (problem := _problem(entry)) != Problem()]


def trace_id(body: Any, response: Response) -> str:
    """Return the id of the request for Qlik's support, or an empty string."""
    found = body.get("traceId") if isinstance(body, dict) else None
    return _text(found or response.headers.get("X-B3-TraceId") or response.headers.get("qlik-traceid"))


def retry_after(response: Response, now: float) -> float | None:
    """Return the seconds to wait from Retry-After (seconds or a date). None if it is absent or unreadable.

    `now` is in seconds since 1970. It is used if the response has no date of its own.
    """
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    until, sent = http_date(text), http_date(response.headers.get("Date", ""))
    if until is None:
        return None
    return max(0.0, until - (now if sent is None else sent))


def http_date(text: str) -> float | None:
    """Return an HTTP date in seconds since 1970. None if it is not a date."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _problem(entry: dict[str, Any]) -> Problem:
    source = entry.get("source")
    return Problem(
        code=_text(entry.get("code")),
        title=_text(entry.get("title")),
        detail=_text(entry.get("detail") or entry.get("message")),  # pinned links have `message`
        pointer=_text(source.get("pointer") or source.get("parameter")) if isinstance(source, dict) else "",
        causes=tuple(_causes(entry.get("meta"))),
    )


def _causes(meta: Any) -> list[str]:
    """Return the causes in the `meta` of TENANTS-10: one cause or a list, each with an optional `meta`."""
    if isinstance(meta, list):
        return [cause for entry in meta for cause in _causes(entry)]
    if not isinstance(meta, dict):
        return []
    own = _text(meta.get("title") or meta.get("detail"))
    return [*([own] if own else []), *_causes(meta.get("meta"))]


def _json(response: Response) -> Any:
    try:
        return response.json
    except ValueError:
        return None


def _plain_text(response: Response) -> str:
    """Return the readable text of a body that is not JSON."""
    text = response.content.decode("utf-8", "replace")
    text = re.sub(r"<(style|script)\b.*?(?:</\1>|\Z)|<[^<>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    return _text(text)


def _without_secrets(problem: Problem, request: Request) -> Problem:
    def clean(text: str) -> str:
        return _shown(text, request)

    return replace(
        problem,
        code=clean(problem.code),
        title=clean(problem.title),
        detail=clean(problem.detail),
        pointer=clean(problem.pointer),
        causes=tuple(map(clean, problem.causes)),
    )


def _shown(text: str, request: Request) -> str:
    """Return a text of a response without the secrets of its request, shortened for a message."""
    # Redacted before it is cut, because half a secret is not recognised.
    text = redacted(text, [request.body, {"token": _login_values(request)}])
    return text if len(text) <= MAX_TEXT_CHARACTERS else f"{text[:MAX_TEXT_CHARACTERS]}…"


def _login_values(request: Request) -> list[str]:
    """Return the JWT and the cookie values in the headers that authenticate a request."""
    parts = [part for value in (request.login_headers or {}).values() for part in value.split("; ")]
    return [part.removeprefix("Bearer ").partition("=")[2] or part.removeprefix("Bearer ") for part in parts]


def _text(value: Any) -> str:
    """Return a value as text on one line."""
    return " ".join(str(value).split()) if value not in (None, "") else ""
