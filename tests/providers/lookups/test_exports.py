"""Exports that are begun before an app needs them: shared, and never worse than without."""

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
AN_EXPORT = ["GET /api/v1/items", "POST /api/v1/apps/{id}/export", "GET /api/v1/temp-contents/{id}"]


@pytest.fixture(autouse=True)
def one_run() -> Iterator[None]:
    """A call within a run of the engine."""
    with run.handling("urn", "127.0.0.1:1"):
        yield
    run._runs.clear()


def steps(tenancy: Tenancy) -> list[str]:
    """What was asked, ids and queries left out."""
    return [_step(each) for each in tenancy.requests()]


def _step(call: str) -> str:
    method, path = call.partition("?")[0].split()
    parts = path.split("/")
    if parts[3] in ("apps", "temp-contents"):
        parts[4] = "{id}"
    return f"{method} {'/'.join(parts)}"


def wait(app: dict[str, Any]) -> None:
    """Wait for the end of an export that was begun, whatever comes of it."""
    run.current().exports[exports.needed(app)].exception(20)


def test_one_export_for_all_that_need_it(tenancy: Tenancy) -> None:
    """Looked for once, exported once, and then nothing is asked any more."""
    exports.begin(tenancy.cloud, [SALES | {"name": "One"}, SALES | {"name": "Two"}])
    first = exports.file(tenancy.cloud, SALES | {"name": "One"})
    assert first.read_bytes()
    assert exports.file(tenancy.cloud, SALES | {"name": "Two"}) == first
    assert steps(tenancy) == AN_EXPORT


def test_with_and_without_data_are_two(tenancy: Tenancy) -> None:
    exports.begin(tenancy.cloud, [SALES, SALES | {"data": False}])
    assert exports.file(tenancy.cloud, SALES) != exports.file(tenancy.cloud, SALES | {"data": False})


def test_what_another_run_began_is_not_taken(tenancy: Tenancy) -> None:
    """The template may have changed since."""
    exports.begin(tenancy.cloud, [SALES])
    wait(SALES)
    tenancy.requests()
    with run.handling("urn", "127.0.0.1:2"):
        exports.file(tenancy.cloud, SALES)
    assert steps(tenancy) == ["GET /api/v1/items"]


def test_a_failure_is_told_by_whoever_needs_the_template(tenancy: Tenancy) -> None:
    """In the words of an export that nobody began."""
    missing = SALES | {"version": "9.9.9"}
    with pytest.raises(TemplateNotFound) as alone:
        exports.file(tenancy.cloud, missing)
    exports.begin(tenancy.cloud, [missing])
    with pytest.raises(TemplateNotFound) as shared:
        exports.file(tenancy.cloud, missing)
    assert str(shared.value) == str(alone.value)


def test_a_failure_that_has_passed_is_none(tenancy: Tenancy) -> None:
    fault = tenancy.qlik.control.add_fault(**EXPORT, status=403)
    exports.begin(tenancy.cloud, [SALES])
    wait(SALES)
    tenancy.qlik.control.release(fault)
    assert exports.file(tenancy.cloud, SALES).exists()


def test_what_qlik_refused_is_exported_anew(tenancy: Tenancy) -> None:
    """Also where it was exported in this run."""
    exports.begin(tenancy.cloud, [SALES])
    templates.distrust(exports.file(tenancy.cloud, SALES))
    tenancy.requests()
    exports.file(tenancy.cloud, SALES)
    assert steps(tenancy) == AN_EXPORT


def test_a_file_that_is_gone_is_exported_anew(tenancy: Tenancy) -> None:
    exports.begin(tenancy.cloud, [SALES])
    exports.file(tenancy.cloud, SALES).unlink()
    assert exports.file(tenancy.cloud, SALES).exists()


def test_an_app_waits_no_longer_than_its_time(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = held(monkeypatch)
    exports.begin(tenancy.cloud, [SALES])
    with tenancy.cloud.deadline(0.05), pytest.raises(DeadlineExceeded, match="which is being exported"):
        exports.file(tenancy.cloud, SALES)
    go_on.set()
    wait(SALES)


def test_what_has_not_begun_is_not_waited_for(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app whose turn comes first does it by itself."""
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    go_on = held(monkeypatch)
    exports.begin(tenancy.cloud, [SALES, STOCK])
    assert exports.file(tenancy.cloud, STOCK).exists()
    go_on.set()
    wait(SALES)
    assert steps(tenancy).count("GET /api/v1/items") == 2


def test_the_end_of_the_run_waits_for_none(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as where Qlik refuses the tenant."""
    go_on, before = held(monkeypatch), set(threading.enumerate())
    exports.begin(tenancy.cloud, [SALES, STOCK])
    begun = set(threading.enumerate()) - before
    assert [each.daemon for each in begun] == [True, True]
    go_on.set()
    wait(SALES)
    wait(STOCK)


def test_an_app_that_says_too_little_is_left_out(tenancy: Tenancy) -> None:
    """What a program gives is not checked in depth, and a tenant is about to be asked for."""
    exports.begin(tenancy.cloud, [{}, {"source_tenant": 1, "version": []}, "Sales", SALES])  # type: ignore[list-item]
    assert list(run.current().exports) == [exports.needed(SALES)]
    wait(SALES)


def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Hold back the threads that were begun, until the event that is returned is set."""
    go_on, fetch, main = threading.Event(), templates.fetch, threading.current_thread()

    def when_told(*args: Any, **more: Any) -> Path:
        assert threading.current_thread() is main or go_on.wait(20)
        return fetch(*args, **more)

    monkeypatch.setattr(templates, "fetch", when_told)
    return go_on
