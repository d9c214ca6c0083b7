"""The proof that an object is gone.

A 404 alone proves nothing, because a failing ingress of Qlik answers 404 to every request. One of two proofs
is required. The first is Qlik's own envelope with a published code (`NotFound.proven`). The second is a
repeated 404 together with a complete list from the same host that does not have the object. An ingress cannot
produce such a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tenantry.providers.framework.errors import NotProven
from tenantry.providers.qlik import Host, HostUnknown, NotFound, QlikError, TenantDisabled
from tenantry.providers.qlik.messages import Params

PAUSE_SECONDS = 1.0
"""The pause before the request is repeated."""

Json = dict[str, Any]
List = Callable[[], Iterable[Json]]
"""A function that returns a complete list of the object's collection."""


def read(
    host: Host, path: str, id: str, list_all: List, *, key: str = "id", params: Params | None = None
) -> Json | None:
    """Return the object `id` at `path`. None only if it is certainly gone.

    Raises NotProven if a 404 does not prove that, and the errors of GET.
    """
    try:
        found: Json = host.get(path, params)
    except NotFound as not_found:
        return None if not_found.proven else _look_again(host, path, id, list_all, key, not_found, params)
    return found


def check_deleted(
    host: Host, path: str, id: str, list_all: List, not_found: NotFound, *, key: str = "id"
) -> None:
    """Raise NotProven if a 404 for a deletion does not prove that the object is gone."""
    if not not_found.proven and _look_again(host, path, id, list_all, key, not_found) is not None:
        raise NotProven(id, host.hostname, "it is still there", not_found)


def delete(
    host: Host,
    path: str,
    id: str,
    list_all: List,
    *,
    key: str = "id",
    headers: Mapping[str, str] | None = None,
) -> None:
    """DELETE the object at `path`. Succeed if it is already gone.

    Raises NotProven if a 404 does not prove that, and the errors of DELETE.
    """
    try:
        host.delete(path, headers=headers)
    except NotFound as not_found:
        check_deleted(host, path, id, list_all, not_found, key=key)


def _look_again(
    host: Host,
    path: str,
    id: str,
    list_all: List,
    key: str,
    not_found: NotFound,
    params: Params | None = None,
) -> Json | None:
    host.pause(PAUSE_SECONDS, f"a second look at {host.hostname}{path}, which answered {not_found.status}")
    try:
        found: Json = host.get(path, params)
        return found
    except NotFound as second:
        if second.proven:
            return None
    try:
        is_listed = any(found.get(key) == id for found in list_all())
    except HostUnknown:
        raise
    except QlikError as error:
        raise NotProven(id, host.hostname, "the list that could prove it cannot be read", error) from error
    if is_listed:
        raise NotProven(id, host.hostname, "Qlik still lists it", not_found)
    return None


def tenant_is_known(host: Host) -> bool:
    """Tell whether the host answers for a tenant, deactivated or not. Raises other errors of the client."""
    try:
        host.get("/api/v1/tenants/me")
    except TenantDisabled:
        return True
    except (NotFound, HostUnknown):
        return False
    return True
