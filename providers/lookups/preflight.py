"""Reads from Qlik before a run creates anything. Each request is sent once, for any number of stacks.

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
"""How many tenants Qlik allows per region and licence."""

DEACTIVATED = ("disabled", "deactivated")


class Allotment(NamedTuple):
    """The number of entitlements of one type in a licence.

    `overage` is how many more are allowed: -1 for any number, None if Qlik does not say.
    """

    name: str
    units: int
    used: int
    overage: int | None


class Licence(NamedTuple):
    """The licence of a tenant. `ends` is its last day, None if it has none."""

    status: str
    trial: bool
    ends: date | None
    number: str = ""
    allotments: tuple[Allotment, ...] = ()


class Roles(NamedTuple):
    """The names of a tenant's roles: `built_in` ones, which every tenant has, and `custom` ones."""

    built_in: frozenset[str]
    custom: frozenset[str]


class FoundTemplate(NamedTuple):
    """A template in the catalog.

    `space` is the id of its space, None for a personal space. `exportable`: this client may export it.
    """

    space: str | None
    exportable: bool


class Preflight:
    """Reads from one Qlik Cloud. Each request is sent once. Thread-safe.

    Each method raises the errors of the client, and the same error to each later caller. Only GET requests
    are sent, besides the requests for tokens.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._lock = threading.Lock()
        self._results: dict[tuple[object, ...], Future[Any]] = {}

    @property
    def now(self) -> datetime:
        """The current time, in UTC."""
        return datetime.fromtimestamp(self.cloud.clock.time(), UTC)

    @property
    def today(self) -> date:
        """The current day, in UTC."""
        return self.now.date()

    @property
    def has_organisation(self) -> bool:
        """True if there is an organisation-level client, so that the organisation's API can be used."""
        return self.cloud.has_organisation

    def log_in(self, hostname: str) -> None:
        """Get a token for a host of Qlik Cloud."""
        self.once(("token", hostname), lambda: self.cloud.authenticate(hostname))

    def licence(self, hostname: str) -> Licence:
        """Return the licence of a tenant. The licence key in the response is not kept."""
        return self.once(("licence", hostname), lambda: self._licence(hostname))

    def template(self, template: Template) -> FoundTemplate:
        """Return the space of a template, and whether this client may export it.

        The client's privileges on the app, as Qlik lists them, decide. Raises TemplateNotFound,
        TemplateAmbiguous.
        """
        return self.once(("template", template), lambda: self._template(template))

    def person(self, hostname: str, email: str | None, subject: str | None) -> str:
        """Return the only user of a tenant with this e-mail address or subject, as messages show it.

        Raises PersonNotFound, PersonAmbiguous.
        """
        host = self.cloud.tenant(hostname)
        return self.once(
            ("person", hostname, email, subject),
            lambda: people.describe(people.find(host, email=email, subject=subject)),
        )

    def roles(self, hostname: str) -> Roles:
        """Return the roles of a tenant."""
        return self.once(("roles", hostname), lambda: self._roles(hostname))

    def tenants(self, region: str) -> list[dict[str, Any]]:
        """Return the tenants in a region as the organisation's API lists them."""
        suffix = f".{region}.qlikcloud.com"
        return [
            tenant
            for tenant in self._all_tenants()
            if tenant["hostnames"] and tenant["hostnames"][0].endswith(suffix)
        ]

    def _licence(self, hostname: str) -> Licence:
        found = self.cloud.tenant(hostname).get("/api/v1/licenses/overview")
        allotments = (
            Allotment(entry["name"], entry["units"], entry["unitsUsed"], entry.get("overage"))
            for entry in found.get("allotments", ())
        )
        return Licence(
            found["status"],
            bool(found["trial"]),
            _last_day(found["valid"]),
            found.get("licenseNumber", ""),
            tuple(allotments),
        )

    def _template(self, template: Template) -> FoundTemplate:
        host = self.cloud.tenant(template.source_tenant)
        item = templates.find(host, template)
        try:
            app = host.get(f"/api/v1/apps/{item['resourceId']}")
        except Forbidden:
            app = {}
        return FoundTemplate(item.get("spaceId"), "export" in (app.get("privileges") or []))

    def _roles(self, hostname: str) -> Roles:
        found = list(self.cloud.tenant(hostname).list("/api/v1/roles"))
        built_in = frozenset(role["name"] for role in found if role.get("type") == "default")
        return Roles(built_in, frozenset(role["name"] for role in found) - built_in)

    def _all_tenants(self) -> list[dict[str, Any]]:
        path, query = "/api/core/tenants", {"sort": "-createdAt"}
        return self.once(("tenants",), lambda: list(self.cloud.organisation().list(path, query)))

    def once(self, key: tuple[object, ...], request: Callable[[], T]) -> T:
        """Call `request` for the first caller with this key, and return its result to all of them.

        Other callers with the same key wait for it. Raises the error that `request` raised, for all of them.
        """
        while True:
            with self._lock:
                known = self._results.get(key)
                future: Future[T] = known or Future()
                self._results[key] = future
            if known is None:
                self._run(key, future, request)
            try:
                return future.result()
            except CancelledError:
                continue  # the thread that sent the request was interrupted: send it again

    def _run(self, key: tuple[object, ...], future: Future[T], request: Callable[[], T]) -> None:
        try:
            with responses.translated_errors():
                result = request()
            future.set_result(result)
        except Exception as error:  # noqa: BLE001  # raised in every caller
            future.set_exception(error)
        except BaseException:
            with self._lock:
                del self._results[key]
            future.cancel()
            raise


def _last_day(interval: str) -> date | None:
    """Return the last day of an ISO 8601 interval, None if it has no readable one."""
    try:
        return date.fromisoformat(interval.rpartition("/")[2][:10])
    except ValueError:
        return None
