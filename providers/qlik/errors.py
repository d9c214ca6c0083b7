"""Everything that goes wrong between this program and Qlik Cloud. `tenantry.errors` has the whole tree.

Every message names what was tried and where, what Qlik said, and what to do next. None holds a secret,
and none carries the exception of the HTTP library, which would hold the request with its token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.errors import TenantryError
from tenantry.providers.qlik.messages import Request


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of Qlik's `errors[]`: `causes` are the titles in its `meta`, `pointer` is its `source`."""

    code: str = ""
    title: str = ""
    detail: str = ""
    pointer: str = ""
    causes: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = " ".join(part for part in (self.code, self.title) if part)
        if self.detail and self.detail != self.title:
            text = f"{text}: {self.detail}" if text else self.detail
        if self.pointer:
            text = f"{text} (at {self.pointer})"
        return f"{text} [{'; '.join(self.causes)}]" if self.causes else text


class QlikError(TenantryError):
    """Root of what the client raises."""

    @property
    def said(self) -> str:
        """What happened, without advice: for an error whose own advice takes its place."""
        return str(self)

    @property
    def may_be_done(self) -> bool:
        """Whether Qlik may have carried out a change although this was raised: look before trying again."""
        return False


class ConfigurationError(QlikError):
    """The environment or an argument is not usable; nothing was sent."""


class CredentialsMissing(ConfigurationError):
    """No OAuth client is configured for the host; the message names the variables looked for."""


class CredentialsCommandFailed(ConfigurationError):
    """QLIK_CREDENTIALS_COMMAND failed or printed something else than credentials. Its output is not shown."""


class EndpointRefused(ConfigurationError):
    """QLIK_CLOUD_ENDPOINT is not a loopback address: client secrets would be sent there."""


class HostRefused(ConfigurationError):
    """A host name outside Qlik Cloud: client secrets would be sent there."""


class DeadlineExceeded(QlikError):
    """The time for the whole operation is over, or a wait would outlast it; `waiting_for` says which wait."""

    def __init__(self, seconds: float, waiting_for: str, setting: str = "") -> None:
        self.seconds = seconds
        self.waiting_for = waiting_for
        more = f" {setting} allows more." if setting else ""
        super().__init__(f"The time allowed ({seconds:g} s) is not enough, waiting for {waiting_for}.{more}")


class RequestFailed(QlikError):
    """A request came to nothing: which one is in `method`, `host` and `path`, which has no query.

    The request itself is not kept, because its body may hold secrets.
    """

    def __init__(self, request: Request, what: str, *more: str) -> None:
        self.method, self.host, self.path = request.method, request.host, request.plain_path
        self._changes = request.changes
        self._said = f"{self.method} {self.host}{self.path} {what}"
        super().__init__("\n".join(line for line in (self._said, *more) if line))

    @property
    def said(self) -> str:
        """The request and what came of it."""
        return self._said


class ConnectionFailed(RequestFailed):
    """No usable answer, from a network, TLS or timeout problem.

    `sent` is False where Qlik cannot have seen the request; `permanent` marks TLS problems, which
    repeating does not cure.
    """

    def __init__(
        self, request: Request, reason: str, *, sent: bool, permanent: bool = False, advice: str = ""
    ) -> None:
        self.reason, self.sent, self.permanent = reason, sent, permanent
        super().__init__(request, f"failed: {reason}", advice)


class AnswerLost(RequestFailed):
    """A request that must not be repeated was sent and its answer did not arrive: done, or not done."""

    def __init__(self, request: Request, reason: str) -> None:
        self.reason = reason
        advice = "Qlik may or may not have done it."
        super().__init__(request, f"was sent, but its answer was lost: {reason}", advice)

    @property
    def may_be_done(self) -> bool:
        """Always."""
        return True


class ApiError(RequestFailed):
    """Qlik answered, with an error.

    `status` is the HTTP status, `problems` the entries of `errors[]`, and `code`, `title`, `detail` those
    of the first. `trace_id` is what Qlik's support asks for. `retry_after` is in seconds, where Qlik sent it.
    `enveloped` tells whether the body was Qlik's own form of an error, with a code: a proxy's page is not.
    """

    def __init__(
        self,
        request: Request,
        status: int,
        problems: Sequence[Problem] = (),
        *,
        trace_id: str = "",
        retry_after: float | None = None,
        enveloped: bool = False,
        advice: str = "",
    ) -> None:
        self.status = status
        self.enveloped = enveloped
        self.problems = tuple(problems)
        first = self.problems[0] if self.problems else Problem()
        self.code, self.title, self.detail = first.code, first.title, first.detail
        self.trace_id = trace_id
        self.retry_after = retry_after
        said = "; ".join(filter(None, map(str, self.problems)))
        trace = f" (traceId {trace_id})" if trace_id else ""
        super().__init__(request, f"answered {status} {said}".rstrip() + trace, advice)

    @property
    def may_be_done(self) -> bool:
        """Only a 408, of something on the way that did not wait for Qlik to end, leaves that open."""
        return self.status == 408 and self._changes


class Unauthorized(ApiError):
    """401: the client or its token is not accepted here."""


class TenantDisabled(ApiError):
    """401 TENANT_DISABLED or TENANT_DEACTIVATED: deactivated, which is neither gone nor a wrong secret."""


class Forbidden(ApiError):
    """403: known, but not allowed to do this."""


GONE_CODES = {
    "groups": "GROUPS-7",
    "roles": "IDENTITIES-10402",
    "tenants": "TENANTS-8",
    "users": "USERS-7",
    "web-integrations": "WEBINTEGRATIONS_NOT_FOUND",
}
"""The codes that Qlik's API specifications publish for an object that is not there, by API."""


class NotFound(ApiError):
    """404 or 410: absent, or not visible, or somebody on the way answered in Qlik's place."""

    @property
    def proven(self) -> bool:
        """Whether the answer alone proves that the object is gone: Qlik's envelope and a published code.

        Any other 404 may be the page of a proxy: see `tenantry.providers.framework.evidence`.
        """
        api = [*self.path.split("/"), "", "", "", ""][3]
        return self.enveloped and self.code == GONE_CODES.get(api)


class HostUnknown(ApiError):
    """404 or 410 for a token: about the host as a whole, and never about an object on it.

    The tenant was purged, or something on the way answered in Qlik's place.
    """


class Conflict(ApiError):
    """409: something with this natural key is there already."""


class PreconditionFailed(ApiError):
    """412: not in its present state, e.g. a space that is not empty."""


class RateLimited(ApiError):
    """429, and waiting as long as Qlik asks would outlast the deadline."""


class ReloadIsPending(ApiError):
    """429 of the reloads API with a code of its own: the app has a reload that has not ended."""


class ServerError(ApiError):
    """5xx: Qlik failed. A change may have been made all the same."""

    @property
    def may_be_done(self) -> bool:
        """True if the request was to change something."""
        return self._changes


class UnexpectedAnswer(ApiError):
    """An answer that the API does not describe: no JSON, cut short, no `data`, a redirect elsewhere."""

    @property
    def may_be_done(self) -> bool:
        """True if the request was to change something."""
        return self._changes
