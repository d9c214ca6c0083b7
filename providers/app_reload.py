"""Reloads of apps (https://qlik.dev/apis/rest/reloads). The next publication gives their data to users.

Unverified, because no source documents it: the code of the 429 that Qlik returns while a reload of the app is
pending. Tenantry assumes that it is any code of the reloads API, and treats `HTTP-429` as the rate limit.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import ReloadFailed, ReloadPending
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.notes import Note, current_note
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.framework.waiting import late_seconds, wait
from tenantry.providers.qlik import Cloud, Host, NotFound, QlikError, ReloadIsPending
from tenantry.providers.values import reload_logs, scripts
from tenantry.providers.values.limits import RELOAD_MINUTES, RELOAD_VARIABLES, RELOAD_VERSION

Record = dict[str, Any]

ENDED = frozenset(("SUCCEEDED", "FAILED", "CANCELED", "EXCEEDED_LIMIT"))
PATH = "/api/v1/reloads"


class AppReload(Resource):
    """A successful reload of an imported app before it is published.

    Deleting it sends no request.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that contains the app.")
    app: Property[str] = reference("App", "The app to reload. A change reloads the new app.")
    variables: Property[dict[str, str]] = prop(
        "Script variables of the reload, each with its value.",
        default=None,
        change=Change.UNSEEN,
        limits=RELOAD_VARIABLES,
    )
    version: Property[int] = prop(
        "A number. Change it to reload the app again.", default=1, change=Change.UNSEEN, limits=RELOAD_VERSION
    )
    minutes: Property[int] = prop(
        "How many minutes to wait for the reload.",
        default=30,
        change=Change.NO_REQUEST,
        limits=RELOAD_MINUTES,
    )

    reload_id: Property[str] = output("Id of the last reload that succeeded.", at_qlik=False)
    ended: Property[str] = output("Time when that reload ended, in RFC 3339 format.", at_qlik=False)


class AppReloadHandler(Handler):
    """CRUD handler of `AppReload`.

    It queues a reload once and waits for it. A later run waits for the same reload.
    """

    resource_type = AppReload
    natural_key = ("tenant", "app")
    is_object = False

    def extra_seconds(self, want: Properties) -> float:
        """Return the number of seconds that the reload can take."""
        return 60.0 * float(want.get("minutes", 0))

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Reload the app and wait until the reload has succeeded."""
        return want["app"], self._reload(cloud, {}, want)

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Return no differences, because a finished reload does not change."""
        return {}

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Reload the app again if its variables or the version differ."""
        return self._reload(cloud, have, want) if self.changes(have, want) else {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Delete the note of the reload. There is nothing to delete at Qlik."""
        _note(have).clear()

    def _reload(self, cloud: Cloud, have: Properties, want: Properties) -> Properties:
        host, app = cloud.tenant(want["tenant"]), want["app"]
        note, seconds = _note(want), self.extra_seconds(want)
        started = cloud.clock.monotonic()
        queued = _resumed(host, want, note) or _queue(cloud, host, have, want, note, seconds)
        status = queued["status"]

        def ended() -> Record | None:
            nonlocal status
            record: Record = host.get(f"{PATH}/{queued['id']}")
            status = record["status"]
            return record if status in ENDED else None

        remaining = max(0.0, started + seconds - cloud.clock.monotonic())
        record = wait(cloud, ended, f"the reload of app {app}", remaining)
        if record is None:
            raise ReloadPending(app, host.hostname, queued["id"], status, seconds)
        if record["status"] != "SUCCEEDED":
            raise ReloadFailed(app, host.hostname, record["id"], record["status"], _reason(record))
        return {"reload_id": record["id"], "ended": record.get("endTime", "")}


def _reason(record: Record) -> str:
    """Return the reason that Qlik gives for a failed reload, without secrets."""
    message = reload_logs.without_secrets(record.get("errorMessage") or "")
    code, log = record.get("errorCode") or "", reload_logs.failure(record.get("log") or "")
    return " ".join(
        part for part in (code and f"{code}:", message if message not in log else "", log) if part
    )


def _queue(
    cloud: Cloud, host: Host, have: Properties, want: Properties, note: Note, seconds: float
) -> Record:
    """Queue the reload, and return it. If another reload of the app is pending, wait for its end first.

    Raises ReloadPending if the other reload does not end in time, and ReloadFailed if the script has no
    variable of this name.
    """
    app, variables = want["app"], want.get("variables") or {}
    if variables:
        text = run.current().scripts.get(app) or host.get(f"/api/v1/apps/{app}/scripts/current")["script"]
        if unknown := scripts.unknown_variables(text, variables):
            reason = f"the load script of the app has no variable {', '.join(unknown)}"
            raise ReloadFailed(app, host.hostname, "", "not queued", reason)
    body: dict[str, Any] = {"appId": app} | ({"variables": variables} if variables else {})
    before = [id for id in (have.get("reload_id"), (note.earlier or {}).get("reload")) if id]

    def post() -> Record | None:
        """Queue the reload. Return None while another one is pending."""
        try:
            record: Record = host.post(PATH, body)
        except ReloadIsPending:
            return None
        return record

    host.authenticate()
    try:
        with note.sending(wanted=_digest(want), before=before):
            record = wait(cloud, post, f"another reload of app {app} to end", seconds)
    except QlikError as error:
        what = f"the reload of app {app} whose response was lost"
        found = (
            wait(cloud, lambda: _newest(host, app, before), what, late_seconds())
            if error.may_be_done
            else None
        )
        if found is None:
            raise
        record = found
    if record is None:
        note.clear()
        raise ReloadPending(app, host.hostname, "", "pending", seconds)
    note.finish(reload=record["id"])
    return record


def _resumed(host: Host, want: Properties, note: Note) -> Record | None:
    """Return the reload that an earlier run queued for the same inputs, unless it has failed."""
    earlier = note.earlier
    if earlier is None or earlier.get("wanted") != _digest(want):
        return None
    if "reload" in earlier:
        try:
            record: Record | None = host.get(f"{PATH}/{earlier['reload']}")
        except NotFound:
            record = None
    else:
        record = _newest(host, want["app"], earlier.get("before", []))
    has_failed = record is not None and record["status"] in ENDED - {"SUCCEEDED"}
    return None if has_failed else record


def _newest(host: Host, app: str, before: list[str]) -> Record | None:
    """Return the newest reload of an app, unless its id is in `before`."""
    newest = next(iter(host.list(PATH, {"appId": app, "sort": "-creationTime"})), None)
    return None if newest is None or newest["id"] in before else newest


def _note(properties: Properties) -> Note:
    return current_note(properties["tenant"], f"reload {properties['app']}")


def _digest(want: Properties) -> str:
    parts = [want["app"], want.get("variables"), want.get("version")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


HANDLER = AppReloadHandler()
