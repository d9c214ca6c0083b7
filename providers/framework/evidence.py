"""When an object counts as gone.

A 404 alone proves nothing: while Qlik's ingress has a bad moment, it answers 404 for whatever is asked. What
counts is Qlik's own envelope with a published code (`NotFound.proven`), or any 404, repeated, together with
the object's absence from a complete list of the same host, which no page of an ingress can give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tenantry.providers.framework.errors import NotProven
from tenantry.providers.qlik import Host, HostUnknown, NotFound, QlikError, TenantDisabled
from tenantry.providers.qlik.messages import Params

PAUSE = 1.0
"""Seconds before the same is asked once more."""

Json = dict[str, Any]
List = Callable[[], Iterable[Json]]
"""Returns a complete list of the collection that the object would be in."""


def read(
    host: Host, path: str, id: str, listed: List, *, key: str = "id", params: Params | None = None
) -> Json | None:
    """Return what is at `path`, the object `id`; None only if it is gone.

    Raises NotProven where Qlik says it is not there and nothing proves it, and what GET raises otherwise.
    """
    try:
        found: Json = host.get(path, params)
    except NotFound as answer:
        return None if answer.proven else _once_more(host, path, id, listed, key, answer, params)
    return found


def settle_delete(host: Host, path: str, id: str, listed: List, answer: NotFound, *, key: str = "id") -> None:
    """Return if the object whose deletion met a 404 is gone; raise NotProven if that is not certain."""
    if not answer.proven and _once_more(host, path, id, listed, key, answer) is not None:
        raise NotProven(id, host.hostname, "it is still there", answer)


def delete(
    host: Host,
    path: str,
    id: str,
    listed: List,
    *,
    key: str = "id",
    headers: Mapping[str, str] | None = None,
) -> None:
    """DELETE what is at `path`; fine if it is gone already. Raises NotProven, and what DELETE raises."""
    try:
        host.delete(path, headers=headers)
    except NotFound as answer:
        settle_delete(host, path, id, listed, answer, key=key)


def _once_more(
    host: Host,
    path: str,
    id: str,
    listed: List,
    key: str,
    answer: NotFound,
    params: Params | None = None,
) -> Json | None:
    host.pause(PAUSE, f"a second look at {host.hostname}{path}, which answered {answer.status}")
    try:
        found: Json = host.get(path, params)
        return found
    except NotFound as again:
        if again.proven:
            return None
    try:
        there = any(each.get(key) == id for each in listed())
    except HostUnknown:
        raise
    except QlikError as error:
        raise NotProven(id, host.hostname, "the list that would tell cannot be read", error) from error
    if there:
        raise NotProven(id, host.hostname, "Qlik still lists it", answer)
    return None


def tenant_is_known(host: Host) -> bool:
    """Tell whether the host answers for a tenant, deactivated or not; raises what else goes wrong."""
    try:
        host.get("/api/v1/tenants/me")
    except TenantDisabled:
        return True
    except (NotFound, HostUnknown):
        return False
    return True
