"""The argument and the return value of a handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenantry.emulator.contract import Operation
from tenantry.emulator.files import Content, Spool
from tenantry.emulator.forms import Part
from tenantry.emulator.hosts import Host
from tenantry.emulator.store import SHARED, Doc, Store
from tenantry.emulator.world import World

ADMIN = "TenantAdmin"


@dataclass
class Call:
    """One request, checked against the contract and authenticated.

    Attributes:
        path: path parameters by name.
        query: query parameters by name, converted to their types.
        body: parsed JSON or form, or None.
        parts: the parts of a form by name.
        upload: the received file, if the operation takes one.
        tenant: the tenant of the host; `{}` on the register host and the console.
        user: the user who sends the request; `{}` without a token or session.
        client: client id behind the token; empty without a token.
        cookies: name -> value.
        session: the session of the cookies; `{}` for a request with a token.
    """

    world: World
    host: Host
    operation: Operation
    path: dict[str, str]
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    upload: Spool | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tenant: Doc = field(default_factory=dict)
    user: Doc = field(default_factory=dict)
    client: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict)
    session: Doc = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The documents."""
        return self.world.store

    @property
    def tenant_id(self) -> str:
        """The key of the tenant's documents in the store."""
        return str(self.tenant.get("id", SHARED))

    @property
    def user_id(self) -> str:
        """The id that is recorded as creator, owner or editor."""
        return str(self.user.get("id", ""))

    @property
    def is_admin(self) -> bool:
        """Whether the caller holds TenantAdmin directly."""
        return any(role["name"] == ADMIN for role in self.user.get("assignedRoles", []))

    def tolerates(self, rule: str) -> bool:
        """Tell whether a strict rule is switched off; see `tenantry.emulator.settings.LENIENT_RULES`."""
        return rule in self.world.settings.lenient

    def url(self, path: str) -> str:
        """Return an absolute address on the host of the request, as Qlik writes it in `links`."""
        return f"https://{self.host.name}{path}"

    def link(self, path: str) -> dict[str, str]:
        """Return `{"href": ...}` for a path on the host of the request."""
        return {"href": self.url(path)}


@dataclass(frozen=True)
class Reply:
    """A response.

    Attributes:
        body: JSON; None for an empty body.
        content: a download instead of JSON.
        span: start (inclusive) and end (exclusive) of the bytes of the download; None for all of it.
        text: HTML instead of JSON.
        cookies: name -> value, which the client stores.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None
    span: tuple[int, int] | None = None
    text: str | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Reply]

HANDLERS: dict[tuple[str, str], Handler] = {}
"""(contract file, operationId) -> its handler."""


def operation(api: str, operation_id: str) -> Callable[[Handler], Handler]:
    """Register a handler for an operation of the contract."""

    def register(handler: Handler) -> Handler:
        HANDLERS[api, operation_id] = handler
        return handler

    return register
