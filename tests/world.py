"""The content of an emulated tenant, by the names of the objects."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.forms import FormBody

Doc = dict[str, Any]


class World:
    """One tenant of an emulator. Every property reads the emulator's current state.

    Raises KeyError if no tenant has the hostname, for example after its purge.
    """

    def __init__(self, qlik: Emulator, hostname: str) -> None:
        self.qlik, self.hostname = qlik, hostname

    @property
    def tenant(self) -> Doc:
        """The tenant itself."""
        cloud = self.qlik.control.dump()["cloud"]
        by_id = {tenant["id"]: tenant for tenant in cloud["tenant"]}
        tenant: Doc = by_id[
            {hostname["id"]: hostname["tenant"] for hostname in cloud["hostname"]}[self.hostname]
        ]
        return tenant

    @property
    def groups(self) -> dict[str, Doc]:
        """Groups by name."""
        return {group["name"]: group for group in self.every("group")}

    @property
    def spaces(self) -> dict[str, Doc]:
        """Spaces by name."""
        return {space["name"]: space for space in self.every("space")}

    @property
    def access(self) -> dict[tuple[str, str], list[str]]:
        """Sorted roles of groups, by the names of space and group."""
        groups = {group["id"]: name for name, group in self.groups.items()}
        spaces = {space["id"]: name for name, space in self.spaces.items()}
        return {
            (spaces[assignment["spaceId"]], groups[assignment["assigneeId"]]): sorted(assignment["roles"])
            for assignment in self.every("assignment")
            if assignment["assigneeId"] in groups
        }

    @property
    def apps(self) -> dict[tuple[str, str], Doc]:
        """Apps by the names of space and app. Two apps with the same name in one space fail the test."""
        spaces = {space["id"]: name for name, space in self.spaces.items()} | {"": ""}
        found = [app for app in self.every("app") if "_deleted_at" not in app]
        apps = {(spaces[app["spaceId"]], app["name"]): app for app in found}
        assert len(apps) == len(found), f"apps with the same name: {found}"
        return apps

    def assignment(self, space: str, group: str) -> Doc:
        """Return the assignment of a group in a space."""
        pair = self.spaces[space]["id"], self.groups[group]["id"]
        return next(
            assignment
            for assignment in self.every("assignment")
            if (assignment["spaceId"], assignment["assigneeId"]) == pair
        )

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request outside Pulumi, as an administrator of the tenant."""
        if isinstance(body, FormBody):
            return self._send_form(method, path, body)
        return self.qlik.request(method, self.hostname, full_path(path), body)

    def _send_form(self, method: str, path: str, body: FormBody) -> Any:
        import requests  # not at the top, because tests of the modules that a run loads import this module

        files = {name: (part.file_name, part.content, part.media_type) for name, part in body.form.items()}
        headers = {"Host": self.hostname, "Authorization": f"Bearer {self.qlik.control.token(self.hostname)}"}
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                method, f"{self.qlik.url}/api/v1/{path}", headers=headers, files=files, timeout=60
            )
        response.raise_for_status()
        return response.json() if response.content else None

    def join(self, space: str) -> None:
        """Give the administrator of `request` all roles in a space."""
        self.request("GET", "users")  # the first request creates the user of the administrator
        administrator_id = next(
            user["id"] for user in self.every("user") if user["name"] == "Emulator operator"
        )
        if not any(
            assignment["assigneeId"] == administrator_id
            for assignment in self.every("assignment")
            if assignment["spaceId"] == space
        ):
            roles = self.request("GET", f"spaces/{space}")["meta"]["assignableRoles"]
            body = {"type": "user", "assigneeId": administrator_id, "roles": roles}
            self.request("POST", f"spaces/{space}/assignments", body)

    def patch(self, path: str, **changes: Any) -> None:
        """Change an object outside Pulumi with JSON Patch."""
        self.request(
            "PATCH",
            path,
            [{"op": "replace", "path": f"/{key}", "value": new} for key, new in changes.items()],
        )

    def every(self, kind: str) -> list[Doc]:
        """Return all objects of a type, as the emulator stores them."""
        found: list[Doc] = self.qlik.control.dump()[self.hostname].get(kind, [])
        return found


def full_path(path: str) -> str:
    """Return the full path on the host. A path without a leading slash is below /api/v1."""
    return path if path.startswith("/") else f"/api/v1/{path}"


def calls(requests: list[Doc], *, tokens: bool = False) -> list[str]:
    """Return the requests of a log as "POST /api/v1/groups", without queries.

    `tokens` includes the requests for tokens.
    """
    lines = [f"{request['method']} {request['path'].partition('?')[0]}" for request in requests]
    return [line for line in lines if tokens or not line.endswith("/oauth/token")]


def writes(requests: list[Doc]) -> list[str]:
    """Return the requests of a log that are not GET."""
    return [line for line in calls(requests) if not line.startswith("GET ")]
