"""Settings that you can change while the emulator runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

NOT_FOUND = ("published", "bare", "other")

LENIENT_RULES = {
    "unknown-parameters": "query parameters that the contract does not name are ignored",
    "unknown-members": "members of a body that the contract does not name are dropped",
    "content-types": "the content-type of a body is ignored",
    "autoreplace": "mode=autoreplace imports a new app",
    "sub-type": "the claim subType of a JWT is optional",
    "empty-owner": "an empty ownerId counts as a missing one",
}
"""Rule -> what it allows. Qlik's documents forbid it, but Qlik's own samples do it."""


@dataclass
class Settings:
    """The emulator's settings. `POST /_emulator/settings` changes any of them.

    Attributes:
        latency_ms: delay of every response.
        jitter_ms: upper limit of a further random delay.
        rate_limits: whether Qlik's limits are enforced.
        rate_window_scale: factor for the length of the five-minute window (0.01 = three seconds). It also
            reduces the number of requests allowed in the window.
        items_lag_ms: how long a new app is missing from /items, by the emulator's clock.
        publish_ready_ms: how long a read of a new publication returns 403.
        space_ready_ms: how long a new space refuses a publication.
        creation_ms: how long it takes to create objects without a unique key. Until then they do not exist.
        reload_ms: how long a reload takes, by the emulator's clock. It waits in the queue for a fifth of it.
        reload_error: the error of all reloads queued from now on. If empty, they succeed.
        reload_rows: how many rows a reload loads into a table from a connection or a file.
        organisation_lag_ms: how long a new tenant is missing from the organisation's list.
        tenant_quota: how many tenants a licence allows. With null, only Qlik's 8,500 per region apply.
        not_found: the form of a 404 without a published code: `published` has the code `<API>-404`, `bare`
            has no body, `other` has an unknown code.
        lenient: keys of `LENIENT_RULES`: the strict rules that are switched off.
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
        """Change some settings.

        Raises:
            ValueError: a name is unknown or a value has the wrong type. Then no setting changes.
        """
        names = {field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"unknown setting {name!r}. The settings are {', '.join(sorted(names))}")
            _check(name, value)
        for name, value in changes.items():
            setattr(self, name, tuple(value) if name == "lenient" else value)

    def as_dict(self) -> dict[str, Any]:
        """Return name -> value."""
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
        if not isinstance(value, list | tuple) or any(rule not in list(LENIENT_RULES) for rule in value):
            raise ValueError(f"lenient must be a list of {', '.join(LENIENT_RULES)}")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError(f"{name} must be a number, 0 or more")
    elif name == "rate_window_scale" and value == 0:
        raise ValueError("rate_window_scale must be above 0")
