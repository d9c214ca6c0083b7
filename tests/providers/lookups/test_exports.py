"""Exports that start before an app needs them. Apps share them, and their failure never fails a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import TemplateNotFound
from tenantry.providers.lookups import exports, templates
from tenantry.providers.qlik import DeadlineExceeded
from tests.providers.resource_driver import Tenancy

SALES = {"source_tenant": "templates.eu.qlikcloud.com", "template": "Sales Overview", "version": "2.3.0"}
STOCK = SALES | {"template": "Inventory", "version": "1.0.0"}
EXPORT = {"method": "POST", "path": "/api/v1/apps/*/export"}
EXPORT_REQUESTS = ["GET /api/v1/items", "POST /api/v1/apps/{id}/export", "GET /api/v1/temp-contents/{id}"]


@pytest.fixture(autouse=True)
def engine_run() -> Iterator[None]:
    """Let each test be a call within one run of the engine."""
    with run.handling("urn", "127.0.0.1:1"):
        yield
    run._runs.clear()


def requests_without_ids(tenancy: Tenancy) -> list[str]:
    """Return the requests since the previous call, without ids and queries."""
    return [_without_ids(call) for call in tenancy.requests()]


def _without_ids(call: str) -> str:
    method, path = call.partition("?")[0].split()
    parts = path.split("/")
    if parts[3] in ("apps", "temp-contents"):
        parts[4] = "{id}"
    return f"{method} {'/'.join(parts)}"


def wait_for_export(app: dict[str, Any]) -> None:
    """Wait until the export for the app succeeds or fails."""
    run.current().exports[exports.export_for(app)].exception(20)


def test_apps_of_the_same_template_share_one_export(tenancy: Tenancy) -> None:
    """Tenantry searches for the template only once."""
    exports.begin(tenancy.cloud, [SALES | {"name": "One"}, SALES | {"name": "Two"}])
    first = exports.fetch(tenancy.cloud, SALES | {"name": "One"})
    assert first.read_bytes()
    assert exports.fetch(tenancy.cloud, SALES | {"name": "Two"}) == first
    assert requests_without_ids(tenancy) == EXPORT_REQUESTS


def test_exports_with_and_without_data_are_two_files(tenancy: Tenancy) -> None:
    exports.begin(tenancy.cloud, [SALES, SALES | {"data": False}])
    assert exports.fetch(tenancy.cloud, SALES) != exports.fetch(tenancy.cloud, SALES | {"data": False})


def test_the_export_of_another_run_is_not_reused(tenancy: Tenancy) -> None:
    """The template may have changed in the meantime. The cached file is still current here."""
    exports.begin(tenancy.cloud, [SALES])
    wait_for_export(SALES)
    tenancy.requests()
    with run.handling("urn", "127.0.0.1:2"):
        exports.fetch(tenancy.cloud, SALES)
    assert requests_without_ids(tenancy) == ["GET /api/v1/items"]


def test_the_error_of_a_missing_template_does_not_depend_on_an_early_export(tenancy: Tenancy) -> None:
    missing = SALES | {"version": "9.9.9"}
    with pytest.raises(TemplateNotFound) as direct:
        exports.fetch(tenancy.cloud, missing)
    exports.begin(tenancy.cloud, [missing])
    with pytest.raises(TemplateNotFound) as early:
        exports.fetch(tenancy.cloud, missing)
    assert str(early.value) == str(direct.value)


def test_an_app_repeats_a_failed_early_export(tenancy: Tenancy) -> None:
    fault = tenancy.qlik.control.add_fault(**EXPORT, status=403)
    exports.begin(tenancy.cloud, [SALES])
    wait_for_export(SALES)
    tenancy.qlik.control.release(fault)
    assert exports.fetch(tenancy.cloud, SALES).exists()


def test_a_file_that_qlik_refused_is_exported_again(tenancy: Tenancy) -> None:
    """This also holds for an export of this run."""
    exports.begin(tenancy.cloud, [SALES])
    templates.distrust(exports.fetch(tenancy.cloud, SALES))
    tenancy.requests()
    exports.fetch(tenancy.cloud, SALES)
    assert requests_without_ids(tenancy) == EXPORT_REQUESTS


def test_a_deleted_file_is_exported_again(tenancy: Tenancy) -> None:
    exports.begin(tenancy.cloud, [SALES])
    exports.fetch(tenancy.cloud, SALES).unlink()
    assert exports.fetch(tenancy.cloud, SALES).exists()


def test_an_app_waits_for_an_export_only_until_its_deadline(
    tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_continue = hold_exports(monkeypatch)
    exports.begin(tenancy.cloud, [SALES])
    with tenancy.cloud.deadline(0.05), pytest.raises(DeadlineExceeded, match="which is being exported"):
        exports.fetch(tenancy.cloud, SALES)
    may_continue.set()
    wait_for_export(SALES)


def test_an_app_does_not_wait_for_a_queued_export(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the app needs the file before the export starts, it exports the template itself."""
    monkeypatch.setattr(exports, "MAX_PARALLEL_EXPORTS", 1)
    may_continue = hold_exports(monkeypatch)
    exports.begin(tenancy.cloud, [SALES, STOCK])
    assert exports.fetch(tenancy.cloud, STOCK).exists()
    may_continue.set()
    wait_for_export(SALES)
    assert requests_without_ids(tenancy).count("GET /api/v1/items") == 2


def test_the_end_of_a_run_does_not_wait_for_exports(
    tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example, a run ends early if Qlik refuses the tenant."""
    may_continue, before = hold_exports(monkeypatch), set(threading.enumerate())
    exports.begin(tenancy.cloud, [SALES, STOCK])
    new_threads = set(threading.enumerate()) - before
    assert [thread.daemon for thread in new_threads] == [True, True]
    may_continue.set()
    wait_for_export(SALES)
    wait_for_export(STOCK)


def test_an_incomplete_app_gets_no_early_export(tenancy: Tenancy) -> None:
    """Tenantry has not checked the apps of the program yet, and an error must not prevent the tenant."""
    exports.begin(tenancy.cloud, [{}, {"source_tenant": 1, "version": []}, "Sales", SALES])  # type: ignore[list-item]
    assert list(run.current().exports) == [exports.export_for(SALES)]
    wait_for_export(SALES)


def hold_exports(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let all threads except the main thread wait before they export. Return the event that releases them."""
    may_continue, fetch, main = threading.Event(), templates.fetch, threading.current_thread()

    def wait_then_fetch(*args: Any, **kwargs: Any) -> Path:
        assert threading.current_thread() is main or may_continue.wait(20)
        return fetch(*args, **kwargs)

    monkeypatch.setattr(templates, "fetch", wait_then_fetch)
    return may_continue
