"""Our bot user as a member of other people's spaces, without which it may not export their apps."""

from __future__ import annotations

from typing import NamedTuple

from tenantry.providers.qlik import Conflict, Host


class Membership(NamedTuple):
    """A role of the bot user in a space. `before`: the roles that it had there; None if it was no member."""

    bot: str
    path: str
    before: list[str] | None


def join(host: Host, space: str, role: str) -> Membership:
    """Give our bot user a role in a space, in addition to those that it has; raises what sending raises.

    Source: https://qlik.dev/apis/rest/spaces (assignments).
    """
    assignments, bot = f"/api/v1/spaces/{space}/assignments", str(host.get("/api/v1/users/me")["id"])
    try:
        body = {"type": "user", "assigneeId": bot, "roles": [role]}
        made = host.post(assignments, body, repeatable=True)
        return Membership(bot, f"{assignments}/{made['id']}", None)
    except Conflict:
        held = next(iter(host.list(assignments, {"assigneeId": bot})), None)
        if held is None:
            raise
        roles, path = sorted(held["roles"]), f"{assignments}/{held['id']}"
        host.put(path, {"roles": sorted({*roles, role})})
        return Membership(bot, path, roles)


def leave(host: Host, membership: Membership) -> None:
    """Give the bot user back the roles that it had before; raises what sending raises."""
    if membership.before is None:
        host.delete(membership.path)
    else:
        host.put(membership.path, {"roles": membership.before})
