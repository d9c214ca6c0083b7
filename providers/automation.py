"""Automations (https://qlik.dev/apis/rest/workflows/automations).

Qlik does not document whether it returns a definition as it was sent. So Tenantry compares a definition with
the one that Qlik returned after our last write. Archives work in the same way (`framework/archived.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenantry.providers.framework.errors import Unfinished
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Named
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, ConfigurationError, Host, QlikError
from tenantry.providers.values import automation_definitions
from tenantry.providers.values.automation_schedules import SCHEDULES
from tenantry.providers.values.limits import CONCURRENT_RUNS, NOT_EMPTY

Found = dict[str, Any]

_SCHEDULE = {"start_at": "startAt", "stop_at": "stopAt", "interval": "interval", "timezone": "timezone"}


class Automation(Resource):
    """An automation. The client's bot user owns it.

    `tenantry.providers.values.automation_definitions` reads the definition at `path`, fills in `values` and
    computes `digest`. Only the owner of an automation can read it. Tenantry manages neither its runs nor the
    connections that its blocks use. The definition names them by id.

    Qlik does not document whether it returns a definition as it was sent. Its additions when it stores a
    definition do not count as drift. Any later change does, even of the position of a block.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that contains it.")
    space: Property[str] = reference(
        "Space",
        "The shared space that contains it. A change moves it. Default: the bot user's personal space.",
        default="",
        change=Change.IN_PLACE,
    )
    name: Property[str] = prop(
        "Name. Qlik allows duplicates, but Tenantry requires a unique name in the tenant.", limits=NOT_EMPTY
    )
    description: Property[str] = prop("Shown in Qlik.", default="")
    digest: Property[str] = prop(
        "SHA-256 of the definition with its values.",
        limits=automation_definitions.DIGEST,
    )
    path: Property[str] = prop(
        "The JSON file on this machine. Tenantry reads it when it sends it. The state does not contain the "
        "path.",
        default=None,
        change=Change.NOT_KEPT,
    )
    values: Property[dict[str, str]] = prop(
        "Texts for the placeholders of the file, by name. The state does not contain them.",
        default=None,
        change=Change.NOT_KEPT,
    )
    schedules: Property[list[dict[str, Any]]] = prop(
        "Schedules, each with `start_at`, `stop_at`, `interval` in seconds and `timezone`.",
        default=[],
        limits=SCHEDULES,
    )
    max_concurrent_runs: Property[int] = prop(
        "The largest number of runs at the same time. A setting of the tenant at Qlik limits it.",
        default=1,
        limits=CONCURRENT_RUNS,
    )
    enabled: Property[bool] = prop("Whether it can run.", default=True)
    adopt: Property[bool] = prop(
        "Take over an existing automation with this name that somebody else owns. The bot user becomes its "
        "owner. Qlik then deletes the history of its runs and detaches its connections.",
        default=None,
        change=Change.AT_CREATION,
    )

    stored_digest: Property[str] = output("SHA-256 of the definition as Qlik returned it.", at_qlik=False)


class AutomationHandler(Named):
    """CRUD handler of `Automation`.

    Qlik has no PATCH for automations and accepts duplicate names. Only the owner can read an automation.
    """

    resource_type = Automation
    path = "/api/workflows/automations"
    maker = "ownerId"
    lists_show_all = False  # a list has no schedules

    def encode(self, properties: Properties) -> Found:
        """Return the JSON for Qlik, without the definition and `enabled`. Actions set `enabled`."""
        remaining = {name: value for name, value in properties.items() if name not in ("digest", "enabled")}
        body = super().encode(remaining)
        if "schedules" in body:
            body["schedules"] = [
                {_SCHEDULE[name]: value for name, value in schedule.items() if value is not None}
                for schedule in body["schedules"]
            ]
        return body

    def decode(self, found: Found) -> Properties:
        """Return the properties of an automation. Lists and responses to POST can lack some of them."""
        live: Properties = {
            "space": found.get("spaceId", ""),
            "name": found["name"],
            "description": found.get("description", ""),
            "max_concurrent_runs": found.get("maxConcurrentRuns", 1),
            "enabled": found.get("state", "available") != "disabled",
        }
        if "workspace" in found:
            digest = automation_definitions.digest(found["workspace"])
            live |= {"digest": digest, "stored_digest": digest}
        if "schedules" in found:
            schedules = [_schedule(schedule) for schedule in found["schedules"]]
            live["schedules"] = self.resource_type.properties["schedules"].canonical(schedules)
        return live

    def body(self, cloud: Cloud, host: Host, want: Properties) -> Found:
        """Return all properties, because Qlik does not document what happens to missing ones."""
        return self._definition(want) | ({"spaceId": want["space"]} if want["space"] else {})

    def _definition(self, want: Properties) -> Found:
        """Return the body for POST and PUT, with the definition."""
        return {**self.encode(want), "workspace": _workspace(self.label(want, ""), want)}

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Take over an existing automation or POST a new one, then disable it if it must not run."""
        id, live = super().create(cloud, want)
        try:
            return id, live | self._finish(self.host(cloud, want), id, live, want)
        except QlikError as error:
            raise Unfinished(id, want | live, error) from error

    def take_over(self, cloud: Cloud, host: Host, existing: Found, want: Properties) -> Properties:
        """Make the bot user the owner, because only the owner can read and change an automation."""
        is_ours = self.is_ours(host, existing, want)
        if want.get("adopt") and not is_ours:
            bot = host.get("/api/v1/users/me")["id"]
            host.post(f"{self.member(existing['id'], want)}/actions/change-owner", {"userId": bot})
        if want.get("adopt") or is_ours:
            existing = host.get(self.member(existing["id"], want))
        return super().take_over(cloud, host, existing, want)

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the automation. If Qlik still has the definition that it stored for us, return our digest."""
        live = super().read(cloud, id, have)
        if live and live.get("stored_digest") == have.get("stored_digest"):
            live["digest"] = have["digest"]
        return live

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PUT all properties if any differs. Actions move, enable and disable the automation."""
        changes, host = self.changes(have, want), self.host(cloud, want)
        if changes.keys() - {"space", "enabled"}:
            host.put(self.member(id, want), self._definition(want))
        if "space" in changes:
            action = f"{self.member(id, want)}/actions/change-space"
            host.post(action, {"spaceId": want["space"]}, repeatable=True)
        return self._finish(host, id, have, want) if changes else {}

    def _finish(self, host: Host, id: str, have: Properties, want: Properties) -> Properties:
        """Enable or disable the automation. Return its state and digests after the write."""
        if have.get("enabled", True) != want["enabled"]:
            action = "enable" if want["enabled"] else "disable"
            host.post(f"{self.member(id, want)}/actions/{action}", None, repeatable=True)
        stored = self.decode(host.get(self.member(id, want)))
        stored_digest = stored.get("stored_digest", want["digest"])
        return {"enabled": want["enabled"], "digest": want["digest"], "stored_digest": stored_digest}


def _schedule(found: Found) -> Properties:
    live = {name: found.get(camel) for name, camel in _SCHEDULE.items()}
    return {name: value for name, value in live.items() if value not in (None, "")}


def _workspace(label: str, want: Properties) -> automation_definitions.Workspace:
    """Return the definition at `path`. Raises ConfigurationError if its digest is not `digest`."""
    if not want.get("path"):
        raise ConfigurationError(f"{label}: set `path`, the JSON file with its definition")
    definition = automation_definitions.read(Path(want["path"]))
    workspace = definition.filled(want.get("values") or {})
    if automation_definitions.digest(workspace) != want["digest"]:
        raise ConfigurationError(f"{want['path']} has changed since the run began: run it again")
    return workspace


HANDLER = AutomationHandler()
