"""Errors between this program and Qlik Cloud. `tenantry.errors` has the whole tree.

Every message names what failed and where, what Qlik said, and what to do next. No message contains a
secret, and no error carries an exception of the HTTP library, because that holds the request with its token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.errors import TenantryError
from tenantry.providers.qlik.messages import Request


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of Qlik's `errors[]`. `causes` are the titles in its `meta`, `pointer` is its `source`."""

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
    """The base class of the client's errors."""

    @property
    def summary(self) -> str:
        """The failure without advice, for an error that gives its own advice."""
        return str(self)

    @property
    def may_be_done(self) -> bool:
        """True if Qlik may have carried out the change. Check that before you try again."""
        return False


class ConfigurationError(QlikError):
    """The environment or an argument is not usable. Nothing was sent."""


class CredentialsMissing(ConfigurationError):
    """No OAuth client is configured for the host. The message names the variables that were checked."""


class CredentialsCommandFailed(ConfigurationError):
    """QLIK_CREDENTIALS_COMMAND failed, or its output is not credentials. The output is not shown."""


class EndpointRefused(ConfigurationError):
    """QLIK_CLOUD_ENDPOINT is not a loopback address, so it must not receive client secrets."""


class HostRefused(ConfigurationError):
    """The host name is outside Qlik Cloud, so it must not receive client secrets."""


class DeadlineExceeded(QlikError):
    """The time for the whole operation is over, or is too short to wait for `waiting_for`."""

    def __init__(self, seconds: float, waiting_for: str, setting: str = "") -> None:
        self.seconds = seconds
        self.waiting_for = waiting_for
        advice = f" Increase {setting} to allow more." if setting else ""
        super().__init__(f"The time allowed ({seconds:g} s) is not enough to wait for {waiting_for}.{advice}")


class RequestFailed(QlikError):
    """A request failed. `method`, `host` and `path` (without the query) name it.

    The request itself is not kept, because its body may contain secrets.
    """

    def __init__(self, request: Request, outcome: str, *extra_lines: str) -> None:
        self.method, self.host, self.path = request.method, request.host, request.plain_path
        self._changes = request.may_change
        self._summary = f"{self.method} {self.host}{self.path} {outcome}"
        super().__init__("\n".join(line for line in (self._summary, *extra_lines) if line))

    @property
    def summary(self) -> str:
        """The request and its outcome."""
        return self._summary


class ConnectionFailed(RequestFailed):
    """A network, TLS or timeout problem prevented a usable response.

    `sent` is False if Qlik cannot have received the request. `permanent` marks TLS problems, which a retry
    does not solve.
    """

    def __init__(
        self, request: Request, reason: str, *, sent: bool, permanent: bool = False, advice: str = ""
    ) -> None:
        self.reason, self.sent, self.permanent = reason, sent, permanent
        super().__init__(request, f"failed: {reason}", advice)


class ResponseLost(RequestFailed):
    """A request that must not be repeated was sent, but its response was lost."""

    def __init__(self, request: Request, reason: str) -> None:
        self.reason = reason
        advice = "Qlik may or may not have carried it out."
        super().__init__(request, f"was sent, but its response was lost: {reason}", advice)

    @property
    def may_be_done(self) -> bool:
        """Always true."""
        return True


class ApiError(RequestFailed):
    """Qlik returned an error.

    `status` is the HTTP status, `problems` are the entries of `errors[]`, and `code`, `title` and `detail`
    come from the first entry. Qlik's support asks for the `trace_id`. `retry_after` is in seconds, or None.
    `enveloped` is true if the body has Qlik's own error format with a code, unlike the page of a proxy.
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
        listed = "; ".join(filter(None, map(str, self.problems)))
        trace = f" (traceId {trace_id})" if trace_id else ""
        super().__init__(request, f"answered {status} {listed}".rstrip() + trace, advice)

    @property
    def may_be_done(self) -> bool:
        """True only for a 408, which comes from a proxy that did not wait for Qlik to finish."""
        return self.status == 408 and self._changes


class Unauthorized(ApiError):
    """401: this host does not accept the client or its token."""


class TenantDisabled(ApiError):
    """401 TENANT_DISABLED or TENANT_DEACTIVATED: the tenant is deactivated, but exists."""


class Forbidden(ApiError):
    """403: the client is known, but not allowed to do this."""


GONE_CODES = {
    "groups": "GROUPS-7",
    "roles": "IDENTITIES-10402",
    "tenants": "TENANTS-8",
    "users": "USERS-7",
    "web-integrations": "WEBINTEGRATIONS_NOT_FOUND",
}
"""The codes that Qlik's API specifications publish for an object that does not exist, by API."""


class NotFound(ApiError):
    """404 or 410: the object does not exist, is not visible, or a proxy answered instead of Qlik."""

    @property
    def proven(self) -> bool:
        """True if the response alone proves that the object is gone (Qlik's envelope and a published code).

        Any other 404 may be the page of a proxy. See `tenantry.providers.framework.evidence`.
        """
        api = [*self.path.split("/"), "", "", "", ""][3]
        return self.enveloped and self.code == GONE_CODES.get(api)


class HostUnknown(ApiError):
    """404 or 410 for a token request, so it concerns the whole host and not an object on it.

    The tenant was purged, or a proxy answered instead of Qlik.
    """


class Conflict(ApiError):
    """409: an object with this natural key already exists."""


class PreconditionFailed(ApiError):
    """412: the current state does not allow the change, for example a space that is not empty."""


class RateLimited(ApiError):
    """429, and the wait that Qlik asks for is longer than the deadline."""


class ReloadIsPending(ApiError):
    """429 with the code of the reloads API: another reload of the app has not ended."""


class ServerError(ApiError):
    """5xx: Qlik failed. It may still have carried out the change."""

    @property
    def may_be_done(self) -> bool:
        """True if the request changes something."""
        return self._changes


class UnexpectedResponse(ApiError):
    """A response that the API does not describe: not JSON, cut off, no `data`, a foreign redirect."""

    @property
    def may_be_done(self) -> bool:
        """True if the request changes something."""
        return self._changes
