"""What can be switched while the emulator runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

NOT_FOUND = ("published", "bare", "other")

LENIENT = {
    "unknown-parameters": "query parameters that the contract does not name are ignored",
    "unknown-members": "members of a body that the contract does not name are dropped",
    "content-types": "a body is read as what it should be, whatever content-type says",
    "autoreplace": "mode=autoreplace imports a new app",
    "sub-type": "a JWT may be without the claim subType",
    "empty-owner": "an empty ownerId counts as none",
}
"""Rule -> what it lets pass: what Qlik's documents forbid, and its own samples do."""


@dataclass
class Settings:
    """The emulator's switches; `POST /_emulator/settings` changes any of them.

    Attributes:
        latency_ms: added to every answer.
        jitter_ms: up to this much more, at random.
        rate_limits: whether Qlik's limits are enforced.
        rate_window_scale: length of the five-minute window, as a factor (0.01 = three seconds); the number of
            requests allowed in it shrinks with it.
        items_lag_ms: how long a fresh app stays out of /items, by the emulator's clock.
        publish_ready_ms: how long reading a fresh publication answers 403.
        space_ready_ms: how long a fresh space refuses a publication.
        creation_ms: how long Qlik takes for what it makes without a key; until then it is not there.
        reload_ms: how long a reload takes, a fifth of it in the queue, by the emulator's clock.
        reload_error: what reloads that are queued from now on fail with; empty: they succeed.
        reload_rows: how many rows a reload loads into a table from a connection or a file.
        organisation_lag_ms: how long a new tenant stays out of the organisation's list.
        tenant_quota: how many tenants a licence allows; null means no limit but Qlik's 8,500 per region.
        not_found: what a 404 looks like whose code is not published: `published` as the others, with the code
            `<API>-404`; `bare` without a body; `other` with a code that is the emulator's nowhere else.
        lenient: names of `LENIENT`: which strict rules do not apply.
    """

    latency_ms: float = 0
    jitter_ms: float = 0
    rate_limits: bool = False
    rate_window_scale: float = 1.0
    items_lag_ms: float = 0
    publish_ready_ms: float = 0
    space_ready_ms: float = 0
    creation_ms: float = 0
    reload_ms: float = 0
    reload_error: str = ""
    reload_rows: float = 1
    organisation_lag_ms: float = 0
    tenant_quota: int | None = None
    not_found: str = "published"
    lenient: tuple[str, ...] = ()

    def change(self, changes: dict[str, Any]) -> None:
        """Set some of them.

        Raises:
            ValueError: an unknown name or a value of the wrong kind; nothing is changed then.
        """
        names = {field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"unknown setting {name!r}; there are {', '.join(sorted(names))}")
            _check(name, value)
        for name, value in changes.items():
            setattr(self, name, tuple(value) if name == "lenient" else value)

    def as_dict(self) -> dict[str, Any]:
        """Name -> value."""
        return asdict(self)


def _check(name: str, value: Any) -> None:
    if name == "rate_limits":
        if not isinstance(value, bool):
            raise ValueError("rate_limits must be true or false")
    elif name == "reload_error":
        if not isinstance(value, str):
            raise ValueError("reload_error must be text")
    elif name == "tenant_quota":
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ValueError("tenant_quota must be a whole number, 0 or more, or null")
    elif name == "not_found":
        if value not in NOT_FOUND:
            raise ValueError(f"not_found must be one of {', '.join(NOT_FOUND)}")
    elif name == "lenient":
        if not isinstance(value, list | tuple) or any(each not in list(LENIENT) for each in value):
            raise ValueError(f"lenient must be a list of {', '.join(LENIENT)}")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError(f"{name} must be a number, 0 or more")
    elif name == "rate_window_scale" and value == 0:
        raise ValueError("rate_window_scale must be above 0")
