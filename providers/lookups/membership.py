"""Membership of the bot user in other people's spaces, which it needs to export their apps."""

from __future__ import annotations

from typing import NamedTuple

from tenantry.providers.qlik import Conflict, Host


class Membership(NamedTuple):
    """The membership of the bot user in a space.

    `bot` is the id of the bot user, `path` the path of the assignment. `before` has its previous roles,
    None if it was not a member.
    """

    bot: str
    path: str
    before: list[str] | None


def join(host: Host, space: str, role: str) -> Membership:
    """Give the bot user an additional role in a space. Raises the errors of the client.

    Source: https://qlik.dev/apis/rest/spaces (assignments).
    """
    assignments, bot = f"/api/v1/spaces/{space}/assignments", str(host.get("/api/v1/users/me")["id"])
    try:
        body = {"type": "user", "assigneeId": bot, "roles": [role]}
        created = host.post(assignments, body, repeatable=True)
        return Membership(bot, f"{assignments}/{created['id']}", None)
    except Conflict:
        existing = next(iter(host.list(assignments, {"assigneeId": bot})), None)
        if existing is None:
            raise
        roles, path = sorted(existing["roles"]), f"{assignments}/{existing['id']}"
        host.put(path, {"roles": sorted({*roles, role})})
        return Membership(bot, path, roles)


def leave(host: Host, membership: Membership) -> None:
    """Restore the previous roles of the bot user. Raises the errors of the client."""
    if membership.before is None:
        host.delete(membership.path)
    else:
        host.put(membership.path, {"roles": membership.before})
