"""What Qlik can tell before anything is made: read, never written, and asked once for however many stacks.

Sources: https://qlik.dev/apis/rest/licenses, …/items, …/apps, …/roles, …/users, and
https://qlik.dev/apis/org-rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar

from tenantry.providers.lookups import people, templates
from tenantry.providers.lookups.templates import Template
from tenantry.providers.qlik import Cloud, Forbidden, responses

T = TypeVar("T")

TENANTS_PER_REGION = 8500
"""How many tenants Qlik allows in a region under one licence."""

DEACTIVATED = ("disabled", "deactivated")


class Allotment(NamedTuple):
    """What a licence has of one kind of entitlement. `overage`: how many more are allowed, -1 for any
    number; None where Qlik does not say.
    """

    name: str
    units: int
    used: int
    overage: int | None


class Licence(NamedTuple):
    """The licence of a tenant. `ends` is its last day, None where it has none."""

    status: str
    trial: bool
    ends: date | None
    number: str = ""
    allotments: tuple[Allotment, ...] = ()


class Roles(NamedTuple):
    """The names of the roles of a tenant: those that every tenant has, and its own."""

    built_in: frozenset[str]
    custom: frozenset[str]


class Found(NamedTuple):
    """A template: the space that it is in, None for a personal one, and whether this client may export it."""

    space: str | None
    exportable: bool


class Preflight:
    """Reads of one Qlik Cloud, each of them sent once. Safe to use from several threads.

    Each method raises what the client raises, the same error to everybody who asks. Nothing but GET is sent,
    and what gets tokens.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._lock = threading.Lock()
        self._asked: dict[tuple[object, ...], Future[Any]] = {}

    @property
    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.cloud.clock.time(), UTC)

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return self.now.date()

    @property
    def has_organisation(self) -> bool:
        """Whether the organisation's API can be asked."""
        return self.cloud.has_organisation

    def log_in(self, hostname: str) -> None:
        """Get a token for a host of Qlik Cloud."""
        self.once(("token", hostname), lambda: self.cloud.authenticate(hostname))

    def licence(self, hostname: str) -> Licence:
        """Return the licence of a tenant; of the answer with its key nothing else is kept."""
        return self.once(("licence", hostname), lambda: self._licence(hostname))

    def template(self, template: Template) -> Found:
        """Return where a template is, and whether it can be exported: by the privileges that Qlik says this
        client has on the app.

        Raises TemplateNotFound, TemplateAmbiguous.
        """
        return self.once(("template", template), lambda: self._template(template))

    def person(self, hostname: str, email: str | None, subject: str | None) -> str:
        """Return the one user of a tenant with that e-mail address or subject, as messages show it.

        Raises PersonNotFound, PersonAmbiguous.
        """
        host = self.cloud.tenant(hostname)
        return self.once(
            ("person", hostname, email, subject),
            lambda: people.shown(people.find(host, email=email, subject=subject)),
        )

    def roles(self, hostname: str) -> Roles:
        """Return the roles of a tenant."""
        return self.once(("roles", hostname), lambda: self._roles(hostname))

    def tenants(self, region: str) -> list[dict[str, Any]]:
        """Return the tenants in a region as the organisation's API lists them."""
        suffix = f".{region}.qlikcloud.com"
        return [
            each for each in self._listed() if each["hostnames"] and each["hostnames"][0].endswith(suffix)
        ]

    def _licence(self, hostname: str) -> Licence:
        found = self.cloud.tenant(hostname).get("/api/v1/licenses/overview")
        allotments = (
            Allotment(each["name"], each["units"], each["unitsUsed"], each.get("overage"))
            for each in found.get("allotments", ())
        )
        return Licence(
            found["status"],
            bool(found["trial"]),
            _last_day(found["valid"]),
            found.get("licenseNumber", ""),
            tuple(allotments),
        )

    def _template(self, template: Template) -> Found:
        host = self.cloud.tenant(template.source_tenant)
        item = templates.find(host, template)
        try:
            app = host.get(f"/api/v1/apps/{item['resourceId']}")
        except Forbidden:
            app = {}
        return Found(item.get("spaceId"), "export" in (app.get("privileges") or []))

    def _roles(self, hostname: str) -> Roles:
        found = list(self.cloud.tenant(hostname).list("/api/v1/roles"))
        built_in = frozenset(role["name"] for role in found if role.get("type") == "default")
        return Roles(built_in, frozenset(role["name"] for role in found) - built_in)

    def _listed(self) -> list[dict[str, Any]]:
        path, query = "/api/core/tenants", {"sort": "-createdAt"}
        return self.once(("tenants",), lambda: list(self.cloud.organisation().list(path, query)))

    def once(self, key: tuple[object, ...], ask: Callable[[], T]) -> T:
        """Return what `ask` returns, or raise what it raises; who asks the same meanwhile waits for it."""
        while True:
            with self._lock:
                known = self._asked.get(key)
                future: Future[T] = known or Future()
                self._asked[key] = future
            if known is None:
                self._run(key, future, ask)
            try:
                return future.result()
            except CancelledError:
                continue  # who asked was interrupted, which is no answer: ask again

    def _run(self, key: tuple[object, ...], future: Future[T], ask: Callable[[], T]) -> None:
        try:
            with responses.translated_errors():
                result = ask()
            future.set_result(result)
        except Exception as error:  # noqa: BLE001 (whoever asks gets it)
            future.set_exception(error)
        except BaseException:
            with self._lock:
                del self._asked[key]
            future.cancel()
            raise


def _last_day(interval: str) -> date | None:
    """Return the end of an ISO 8601 interval, None if it has none that can be read."""
    try:
        return date.fromisoformat(interval.rpartition("/")[2][:10])
    except ValueError:
        return None
