"""Exports of templates that are begun before an app needs them: while its tenant is being made, or while the
app is looked for.

An app cannot be imported before there is a space for it. Finding its template, exporting and downloading it
needs nothing of the tenant, and takes as long as all of that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from tenantry.providers.framework import run
from tenantry.providers.lookups import templates
from tenantry.providers.lookups.templates import Template
from tenantry.providers.qlik import Cloud, current_deadline, responses

AT_ONCE = 4
"""How many exports are begun at the same time; Qlik and the disk have other things to do meanwhile."""


class Export(NamedTuple):
    """What tells one file from another: the template, and how it is exported."""

    template: Template
    data: bool
    join: bool


def needed(app: Mapping[str, Any]) -> Export:
    """Return the export that an app with these properties is made from."""
    template = Template(app["source_tenant"], app.get("template"), app.get("template_id"), app["version"])
    return Export(template, bool(app.get("data", True)), bool(app.get("join_template_space")))


def begin(cloud: Cloud, apps: Iterable[Mapping[str, Any]]) -> None:
    """Begin the exports that apps will need, for `file` to take in this run of the engine.

    Returns at once. A failed export, or an app with too few properties, is not an error: whoever needs the
    file tries again.
    """
    begun, queue = run.current().exports, SimpleQueue[tuple[Future[Path], Export]]()
    for app in apps:
        with suppress(KeyError, TypeError, AttributeError):
            export = needed(app)
            if export not in begun:
                begun[export] = Future()
                queue.put((begun[export], export))
    for _ in range(min(AT_ONCE, queue.qsize())):
        # Daemons: the end of the run waits for nothing that no app has asked for.
        threading.Thread(target=_work, args=(cloud, queue), daemon=True).start()


def _work(cloud: Cloud, queue: SimpleQueue[tuple[Future[Path], Export]]) -> None:
    while True:
        try:
            future, export = queue.get_nowait()
        except Empty:
            return
        if not future.set_running_or_notify_cancel():
            continue
        try:
            with responses.translated_errors(), cloud.default_deadline():
                future.set_result(_fetch(cloud, export))
        except BaseException as error:  # noqa: BLE001  # whoever waits must learn of it
            future.set_exception(error)


def file(cloud: Cloud, app: Mapping[str, Any]) -> Path:
    """Return the file of the template of an app: one that was begun in this run, else fetched now.

    Raises TemplateNotFound, TemplateAmbiguous, and what sending raises.
    """
    export = needed(app)
    return _begun(export) or _fetch(cloud, export)


def _begun(export: Export) -> Path | None:
    """Return the file of an export that was begun, once it is there; None if there is none to be had."""
    future = run.current().exports.get(export)
    if future is None or future.cancel():
        return None
    deadline = current_deadline()
    if not wait([future], deadline.remaining() if deadline else None).done and deadline:
        raise deadline.exceeded(f"{export.template}, which is being exported")
    usable = future.exception() is None and templates.is_usable(future.result())
    return future.result() if usable else None


def _fetch(cloud: Cloud, export: Export) -> Path:
    return templates.fetch(cloud, export.template, data=export.data, join=export.join)
