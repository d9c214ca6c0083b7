"""A reader of an existing tenant. It reads each collection once, on first use. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

from tenantry.importing.errors import ImportRefused
from tenantry.providers.framework.listings import PAGE
from tenantry.providers.qlik import Cloud, Host, QlikError, TenantDisabled
from tenantry.text import for_line

Json = dict[str, Any]
T = TypeVar("T")

REQUESTS_AT_ONCE = 4
"""Parallel requests, as many as in the provider process."""


class TenantReader:
    """A reader of the tenant at `hostname`, which can be its alias.

    `source_tenant` is the hostname of the tenant with the templates. Raises ImportRefused if the tenant
    cannot be imported.
    """

    def __init__(self, cloud: Cloud, hostname: str, source_tenant: str) -> None:
        self.cloud = cloud
        try:
            self.tenant: Json = cloud.tenant(hostname).get("/api/v1/tenants/me")
        except TenantDisabled as error:
            raise ImportRefused(
                f"{hostname} is deactivated and cannot be read. Reactivate it, then import it"
            ) from error
        except QlikError as error:
            raise ImportRefused(f"{for_line(hostname)} cannot be read: {error}") from error
        if self.tenant.get("status", "active") != "active":
            raise ImportRefused(f"{hostname} is {self.tenant['status']}. Reactivate it, then import it")
        self.hostname: str = self.tenant["hostnames"][0]
        self.source_tenant = source_tenant
        if source_tenant in self.tenant["hostnames"]:
            raise ImportRefused(
                f"{hostname} is the source tenant. You can import only the tenant of a customer"
            )

    @property
    def host(self) -> Host:
        """The host of the tenant."""
        return self.cloud.tenant(self.hostname)

    @property
    def region(self) -> str:
        """The region of the tenant."""
        return self.host.region

    @cached_property
    def bot(self) -> str:
        """The user id of our bot in the tenant."""
        return str(self.host.get("/api/v1/users/me")["id"])

    @cached_property
    def groups(self) -> list[Json]:
        """Every group, in the order of names."""
        return _by_name(self.host.list("/api/v1/groups"))

    @cached_property
    def spaces(self) -> list[Json]:
        """Every space, in the order of names."""
        return _by_name(self.host.list("/api/v1/spaces"))

    @cached_property
    def users(self) -> list[Json]:
        """Every user, in the order of names."""
        return _by_name(self.host.list("/api/v1/users"))

    def listed(self, path: str, page: int | None = PAGE) -> list[Json]:
        """Return every object of a collection, in the order of names.

        Only one module reads this collection.
        """
        return _by_name(self.host.list(path, limit=page))

    @cached_property
    def assignments(self) -> dict[str, list[Json]]:
        """The assignments of each space, by the space's id."""
        paths = {space["id"]: f"/api/v1/spaces/{space['id']}/assignments" for space in self.spaces}
        found = self.in_parallel(lambda path: list(self.host.list(path)), paths.values())
        return dict(zip(paths, found, strict=True))

    @cached_property
    def apps(self) -> list[Json]:
        """Every app that our bot can see, as in the catalogue, in the order of names."""
        return _by_name(self.host.list("/api/v1/items", APPS))

    @cached_property
    def templates(self) -> list[Json]:
        """Every app on the source tenant that could be a template, without published copies."""
        items = self.cloud.tenant(self.source_tenant).list("/api/v1/items", APPS)
        return [item for item in items if not item["resourceAttributes"].get("publishTime")]

    def in_parallel(self, send: Callable[[str], T], paths: Iterable[str]) -> list[T]:
        """Call `send` for each path, several at a time. Return the results in order."""
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            return list(pool.map(send, paths))


APPS = {"resourceType": "app", "noActions": "true"}


def _by_name(found: Iterable[Json]) -> list[Json]:
    return sorted(found, key=lambda item: (item.get("name", ""), item["id"]))
