"""Requests with tokens, rate limits and retries. A request is repeated only if that is safe."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager

from tenantry.providers.qlik import limits, responses
from tenantry.providers.qlik.credentials import CredentialSource
from tenantry.providers.qlik.deadlines import Clock, Deadline, default_deadline
from tenantry.providers.qlik.errors import (
    ApiError,
    ConnectionFailed,
    RateLimited,
    ResponseLost,
    ServerError,
    Unauthorized,
)
from tenantry.providers.qlik.governor import RateGovernor, Turn, queue
from tenantry.providers.qlik.messages import Request, Response, Waiting
from tenantry.providers.qlik.settings import DEADLINE
from tenantry.providers.qlik.tokens import Token, TokenCache
from tenantry.providers.qlik.transport import Transport

TIMED_OUT = 408
"""The status from a proxy that did not wait for Qlik. A read can be repeated."""

TRIES = 4
BACK_OFF_SECONDS = 1.0
MAX_BACK_OFF_SECONDS = 20.0

RATE_LIMIT_PAUSE_SECONDS = 10.0
"""The pause after a 429 if Qlik does not say how long to wait."""

NOTIFY_FROM_SECONDS = 2.0
"""The shortest wait for a turn that is reported."""

FETCH_SECONDS = 10.0
"""The time in which a host outside Qlik Cloud must answer."""

IDEMPOTENT_METHODS = frozenset({"GET", "PUT", "DELETE"})

Notify = Callable[[str], None]


class Calls:
    """A sender of requests to all hosts, with their tokens and limits. Thread-safe."""

    def __init__(
        self,
        transport: Transport,
        credentials: CredentialSource,
        clock: Clock,
        default_deadline: float,
        notify: Notify,
        governor: RateGovernor | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._default_deadline = default_deadline
        self._notify = notify
        self._limits = limits.RateLimits(clock)
        self._governor = governor
        self._last_dates: dict[str, float] = {}
        self._tokens = TokenCache(credentials, self.send, clock)

    def send(self, request: Request) -> Response:
        """Return the response if its status is 200 to 399.

        The deadline of the context applies, or else the default. Raises ApiError, ResponseLost,
        ConnectionFailed, DeadlineExceeded.
        """
        with self.default_deadline() as deadline:
            return self._until_answered(request, deadline)

    def fetch(self, request: Request) -> Response:
        """Return the response of a host outside Qlik Cloud, without a token and without redirects.

        A failed connection is retried once. Raises ConnectionFailed.
        """
        with self.default_deadline() as outer:
            deadline = Deadline(min(FETCH_SECONDS, outer.remaining()), self._clock)
            try:
                return self._transport.exchange(request, None, deadline)
            except ConnectionFailed as error:
                if error.permanent:
                    raise
            return self._transport.exchange(request, None, Deadline(FETCH_SECONDS, self._clock))

    def authenticate(self, host: str) -> None:
        """Get a token for `host`. Raises CredentialsMissing, TenantDisabled and errors of `send`."""
        with self.default_deadline() as deadline:
            self._tokens.get(host, deadline)

    def default_deadline(self, extra_seconds: float = 0.0) -> AbstractContextManager[Deadline]:
        """Return a context with the deadline of the settings plus the extra time, unless one is set."""
        return default_deadline(self._default_deadline + extra_seconds, clock=self._clock, setting=DEADLINE)

    def time_at(self, host: str) -> float | None:
        """Return the `Date` of a host's last response in seconds since 1970. None if it had no date."""
        return self._last_dates.get(host)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _until_answered(self, request: Request, deadline: Deadline) -> Response:
        budget = limits.budget(request.method, request.plain_path)
        tries, renewed = 0, False
        while True:
            self._limits.wait(request.host, budget, deadline)
            has_own_credentials = request.client_source or request.login_headers is not None
            token = None if has_own_credentials else self._tokens.get(request.host, deadline)
            turn = self._queue(request.host, budget, deadline)
            deadline.check(f"its turn: {request.method} {request.host}{request.plain_path}")
            tries += 1
            try:
                return self._once(request, token, turn, deadline)
            except Unauthorized:
                if token is None or renewed:
                    raise
                renewed = True
                self._tokens.drop(request.host, token)
            except RateLimited as error:
                tries -= 1
                self._hold(error, budget, deadline)
            except (ServerError, ConnectionFailed) as error:
                self._before_repeating(request, error, tries, deadline)
            except ApiError as error:
                if error.status != TIMED_OUT or request.method != "GET":
                    raise
                self._before_repeating(request, error, tries, deadline)

    def _queue(self, host: str, budget: str, deadline: Deadline) -> Turn | None:
        """Wait for a turn among all processes of this machine, and return it."""
        turn = self._governor.turn(host, budget, deadline) if self._governor else None
        if turn and turn.seconds >= NOTIFY_FROM_SECONDS:
            self._notify(Waiting(f"waiting {turn.seconds:.0f} s for {queue(host, budget)}"))
        while self._governor and turn and turn.seconds:
            deadline.pause(turn.seconds, queue(host, budget))
            turn = self._governor.confirmed(host, budget, turn, deadline)
        return turn

    def _once(self, request: Request, token: Token | None, turn: Turn | None, deadline: Deadline) -> Response:
        try:
            response = self._transport.exchange(request, token, deadline)
        finally:
            if self._governor and turn:
                self._governor.answered(request.host, limits.budget(request.method, request.plain_path), turn)
        date = responses.http_date(response.headers.get("Date", ""))
        if date is not None:
            self._last_dates[request.host] = date
        if response.status >= 400:
            raise responses.api_error(request, response, self._clock.time())
        return response

    def _hold(self, error: RateLimited, budget: str, deadline: Deadline) -> None:
        """Close the budget for all threads for the time that Qlik requires. Raise if that is too long."""
        seconds = max(1.0, RATE_LIMIT_PAUSE_SECONDS if error.retry_after is None else error.retry_after)
        was_open = self._limits.close(error.host, budget, seconds)
        if self._governor:
            self._governor.close(error.host, budget, seconds)
        if seconds >= deadline.remaining():
            raise error
        if was_open:
            limited = f"Qlik limits the rate of requests to {error.host} ({budget})"
            self._notify(Waiting(f"{limited}: waiting {seconds:.0f} s"))

    def _before_repeating(
        self, request: Request, error: ApiError | ConnectionFailed, tries: int, deadline: Deadline
    ) -> None:
        """Wait for the next try. Raise if a retry is unsafe or useless, or after too many tries."""
        unsent = isinstance(error, ConnectionFailed) and not error.sent
        if not (unsent or request.repeatable or request.method in IDEMPOTENT_METHODS):
            raise ResponseLost(request, error.reason) if isinstance(error, ConnectionFailed) else error
        if tries >= TRIES or (isinstance(error, ConnectionFailed) and error.permanent):
            raise error
        # Full jitter: clients that failed at the same moment try again at different moments.
        seconds = random.uniform(0, min(MAX_BACK_OFF_SECONDS, BACK_OFF_SECONDS * 2**tries))  # noqa: S311
        if isinstance(error, ApiError):
            seconds = max(seconds, error.retry_after or 0.0)
        failure = str(error).splitlines()[0]
        if seconds >= deadline.remaining():
            raise deadline.exceeded(f"another try after {failure}")
        self._notify(Waiting(f"{failure}; trying again in {seconds:.1f} s ({tries} of {TRIES} tries)"))
        self._clock.sleep(seconds)
