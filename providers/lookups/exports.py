"""Template exports that start early: while Qlik creates the tenant, or while Tenantry looks for the app.

An app can be imported only when its space exists. But finding its template, exporting and downloading it
does not need the tenant at all, and takes about as long as creating the tenant and the space.
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

MAX_PARALLEL_EXPORTS = 4
"""How many exports run at the same time. More would slow down Qlik and the disk for everything else."""


class Export(NamedTuple):
    """The key of an exported file: the template and the options of its export.

    `data`: with the data of the app. `join`: join the template's space first, if that is needed.
    """

    template: Template
    data: bool
    join: bool


def export_for(app: Mapping[str, Any]) -> Export:
    """Return the export that an app with these properties needs.

    Raises KeyError if a required property is missing.
    """
    template = Template(app["source_tenant"], app.get("template"), app.get("template_id"), app["version"])
    return Export(template, bool(app.get("data", True)), bool(app.get("join_template_space")))


def begin(cloud: Cloud, apps: Iterable[Mapping[str, Any]]) -> None:
    """Start the exports that apps will need, so that `file` finds them later in this run of the engine.

    Returns at once. A failed export and an app with missing properties are not errors here: `file` tries
    again.
    """
    started, queue = run.current().exports, SimpleQueue[tuple[Future[Path], Export]]()
    for app in apps:
        with suppress(KeyError, TypeError, AttributeError):
            export = export_for(app)
            if export not in started:
                started[export] = Future()
                queue.put((started[export], export))
    for _ in range(min(MAX_PARALLEL_EXPORTS, queue.qsize())):
        # Daemon threads, so that the end of the run does not wait for an export that no app needs.
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
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
            future.set_exception(error)


def fetch(cloud: Cloud, app: Mapping[str, Any]) -> Path:
    """Return the exported file for an app. Wait for an export that `begin` started, or export now.

    Raises TemplateNotFound, TemplateAmbiguous, and every error of a request.
    """
    export = export_for(app)
    return _wait_for_started(export) or _fetch(cloud, export)


def _wait_for_started(export: Export) -> Path | None:
    """Wait for an export that `begin` started, and return its file. None if there is no usable file."""
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
