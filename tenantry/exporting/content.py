"""Export of the apps, users and groups of a tenant into a folder.

Sources: https://qlik.dev/apis/rest/apps (export), https://qlik.dev/apis/rest/items,
https://qlik.dev/apis/rest/users, https://qlik.dev/apis/rest/groups, and "Managing permissions in managed
spaces" at help.qlik.com.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tenantry.exporting.folder import ExportFolder, ExportRefused, app_path, as_csv, as_json, facts_of
from tenantry.providers.lookups import membership
from tenantry.providers.qlik import Cloud, Forbidden, Host, QlikError, TenantDisabled

SPACES_AT_ONCE = 4
"""How many spaces are exported at the same time."""

ROLES = {"shared": "producer", "managed": "facilitator"}
"""The lowest role with which a member can export apps, by type of space."""

LISTS = {
    "users": ("id", "subject", "name", "email", "status", "assignedRoles", "assignedGroups", "createdAt"),
    "groups": ("id", "name", "providerType", "status", "assignedRoles", "createdAt"),
}
"""Columns of the CSV files. The JSON files have Qlik's full response."""

LIMITS = (
    "Apps in personal spaces of other users are included only if Qlik lists them to an administrator.",
    "Apps of managed spaces have no data: Qlik exports them only with NoData=true. A reload loads it.",
)


class NotSaved(NamedTuple):
    """An item that could not be saved; `kind` is app, apps, users or groups."""

    kind: str
    id: str
    name: str
    space: str
    reason: str

    def __str__(self) -> str:
        if not self.id:
            return f"the {self.kind}: {self.reason}"
        place = f' in space "{self.space}"' if self.space else " in a personal space"
        return f'{self.kind} "{self.name}" ({self.id}){place}: {self.reason}'


@dataclass
class Export:
    """The result of an export. `fetched` is how many apps were downloaded; the others were up to date."""

    folder: Path
    files: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    not_saved: list[NotSaved] = field(default_factory=list)
    apps: int = 0
    fetched: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether everything was saved."""
        return not self.not_saved


def export(cloud: Cloud, hostname: str, stack: str, root: Path, *, join: bool = False) -> Export:
    """Save the content of a tenant in the folder of its stack below `root`.

    Args:
        join: temporarily add the bot user to spaces from which it cannot export.

    Returns: what was saved and what was not. An app that has not changed since the last export is not
    downloaded again.

    Raises:
        ExportRefused: the tenant is deactivated, or the folder cannot be used.
        QlikError: the tenant does not list its spaces.
    """
    host = cloud.tenant(hostname)
    with ExportFolder.opened(root, stack) as folder:
        try:
            spaces = {space["id"]: space for space in host.list("/api/v1/spaces")}
        except TenantDisabled as error:
            raise ExportRefused(
                f"Tenant {hostname} is deactivated, so it cannot be read ({error.summary}). To export it: "
                "1. if it is a trial that has ended, set a later `ends_on` in its stack file, "
                f"2. run `pulumi up --refresh --stack {stack}`, which reactivates it, 3. export again."
            ) from error
        return _ExportRun(host, stack, spaces, folder, join=join).run()


class _ExportRun:
    """One export. Each of its threads exports one space."""

    def __init__(
        self, host: Host, stack: str, spaces: Mapping[str, Any], folder: ExportFolder, *, join: bool
    ) -> None:
        self.host, self.stack, self.spaces, self.folder, self.join = host, stack, spaces, folder, join
        self.found = Export(folder.path)
        self.earlier = {(str(entry.get("kind")), str(entry.get("id", ""))): entry for entry in folder.earlier}
        self.lock = threading.Lock()

    def run(self) -> Export:
        self.found.files = {key: entry for key, entry in self.earlier.items() if self.folder.inside(entry)}
        self._write_index(complete=False)
        for kind in LISTS:
            self._try(kind, lambda kind=kind: self._save_list(kind))  # type: ignore[misc]
        self._try("apps", self._save_apps)
        self._write_index(complete=self.found.complete)
        return self.found

    def _try(self, kind: str, save: Callable[[], None]) -> None:
        try:
            save()
        except (QlikError, OSError) as error:
            self.found.not_saved.append(NotSaved(kind, "", "", "", str(error)))

    def _save_list(self, kind: str) -> None:
        rows = [
            {name: value for name, value in row.items() if name != "links"}
            for row in self.host.list(f"/api/v1/{kind}")
        ]
        self.found.counts[kind] = len(rows)
        for form, text in (("json", as_json(rows)), ("csv", as_csv(LISTS[kind], rows))):
            facts = self.folder.write(f"{kind}.{form}", text)
            self.found.files[kind, form] = {"kind": kind, "id": form, "count": len(rows), **facts}

    def _save_apps(self) -> None:
        items = list(self.host.list("/api/v1/items", {"resourceType": "app", "noActions": "true"}))
        self.found.apps, listed = len(items), {str(item["resourceId"]) for item in items}
        for kind, id in self.found.files:
            if kind == "app":
                self.found.files[kind, id]["at_qlik"] = id in listed
        by_space: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            by_space.setdefault(str(item.get("spaceId") or ""), []).append(item)
        with ThreadPoolExecutor(SPACES_AT_ONCE) as pool:
            try:
                list(pool.map(self._save_space, by_space, by_space.values()))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _save_space(self, space: str, items: Iterable[dict[str, Any]]) -> None:
        member: membership.Membership | None = None
        try:
            for item in items:
                try:
                    self._save_app(item)
                except Forbidden as error:
                    if member or not self.join or not space:
                        self._missed(item, self._refused(space, error))
                        continue
                    member = self._joined(space, item, error)
                    if member:
                        self._try_again(item)
                except (QlikError, OSError) as error:
                    self._missed(item, str(error))
        finally:
            if member:
                with suppress(QlikError):  # the saved files do not depend on it
                    membership.leave(self.host, member)

    def _joined(self, space: str, item: dict[str, Any], refusal: Forbidden) -> membership.Membership | None:
        role = ROLES.get(str(self.spaces.get(space, {}).get("type")), ROLES["shared"])
        try:
            return membership.join(self.host, space, role)
        except QlikError as error:
            self._missed(item, f"{refusal.summary}; joining its space failed: {error}")
            return None

    def _try_again(self, item: dict[str, Any]) -> None:
        try:
            self._save_app(item)
        except (QlikError, OSError) as error:
            self._missed(item, str(error))

    def _save_app(self, item: dict[str, Any]) -> None:
        space = str(item.get("spaceId") or "")
        kind = str(self.spaces.get(space, {}).get("type") or "") if space else "personal"
        known = item.get("resourceAttributes") or {}
        entry: dict[str, Any] = {
            "kind": "app",
            "id": item["resourceId"],
            "name": item.get("name") or "",
            "space": {"id": space, "name": self._space_name(space), "type": kind} if space else None,
            "owner_id": item.get("ownerId") or "",
            "at_qlik": True,
            "data": kind != "managed",
            "changed_at": known.get("modifiedDate") or item.get("updatedAt") or "",
            "reloaded_at": known.get("lastReloadTime") or item.get("resourceReloadEndTime") or "",
            "path": app_path(item, self.spaces),
        }
        key = "app", str(item["resourceId"])
        earlier = self.earlier.get(key, {})
        if entry.items() <= earlier.items() and self.folder.holds(earlier):
            return
        query = {} if entry["data"] else {"NoData": "true"}
        place = self.folder.file(entry["path"])
        self.host.download(self.host.export(f"/api/v1/apps/{item['resourceId']}/export", query), place)
        with self.lock:
            self.found.files[key] = entry | facts_of(place)
            self.found.fetched += 1
            self._write_index(complete=False)
        if earlier and earlier.get("path") != entry["path"]:
            self.folder.remove(earlier)

    def _missed(self, item: dict[str, Any], reason: str) -> None:
        space = str(item.get("spaceId") or "")
        missed = NotSaved(
            "app", str(item["resourceId"]), str(item.get("name") or ""), self._space_name(space), reason
        )
        with self.lock:
            self.found.not_saved.append(missed)

    def _refused(self, space: str, error: Forbidden) -> str:
        kind = str(self.spaces.get(space, {}).get("type") or "")
        if not space:
            way = "Ask its owner to move it to a shared space, or to export it."
        elif self.join:
            way = "The bot user of this client is already a member of the space, but its role is too low."
        else:
            role = ROLES.get(kind, ROLES["shared"])
            way = f"Give the bot user of this client the role `{role}` in the space, or add --join-spaces."
        return f"this client cannot export it ({error.summary}). {way}"

    def _space_name(self, space: str) -> str:
        return str(self.spaces.get(space, {}).get("name") or space)

    def _write_index(self, *, complete: bool) -> None:
        """Write the index of the files so far, so that the next export continues an interrupted one."""
        files = [entry for _, entry in sorted(self.found.files.items())]
        index = {
            "stack": self.stack,
            "hostname": self.host.hostname,
            "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "complete": complete,
            "files": files,
            "not_saved": [missed._asdict() for missed in self.found.not_saved],
            "limits": list(LIMITS),
        }
        self.folder.write_index(index)
