"""Provider processes that are reused from one preview to the next."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tenantry.fleet.warm import providers as warm
from tests.e2e.harness import ROOT


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the variables that disable providers, and close all providers before and after each test."""
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    monkeypatch.delenv(warm.COLD_VARIABLE, raising=False)
    warm.close()
    yield
    warm.close()


def running() -> list[psutil.Process]:
    """Return the running providers of this process."""
    children = psutil.Process().children(recursive=True)
    return [process for process in children if "tenantry.fleet.warm.provider_process" in process.cmdline()]


def test_a_provider_serves_one_preview_at_a_time_and_is_reused() -> None:
    with warm.provider(ROOT) as first:
        assert first.keys() == {"PULUMI_DEBUG_PROVIDERS"}
        with warm.provider(ROOT) as second:
            assert second != first
    with warm.provider(ROOT) as third:
        assert third in (first, second)
    assert len(running()) == 2
    warm.close()
    assert running() == []


def test_a_dead_provider_is_not_reused() -> None:
    with warm.provider(ROOT) as first:
        pass
    (process,) = running()
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    with warm.provider(ROOT) as second:
        assert second != first


def test_no_provider_starts_if_a_variable_disables_it_or_sets_another_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (warm.COLD_VARIABLE, "PULUMI_PYTHON_CMD"):
        with monkeypatch.context() as patched:
            patched.setenv(name, "1")
            with warm.provider(ROOT) as environment:
                assert environment == {}
    assert running() == []


def test_a_provider_that_fails_to_start_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pulumi").mkdir()
    (tmp_path / "pulumi" / "__init__.py").write_text("raise SystemExit('no such SDK')")
    with warm.provider(tmp_path) as environment:
        assert environment == {}
    assert running() == []
