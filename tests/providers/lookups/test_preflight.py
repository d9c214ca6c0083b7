"""What is asked of Qlik once, however many stacks there are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import Cloud


def test_an_answer_is_asked_for_once_and_so_is_an_error() -> None:
    preflight, asked = Preflight(Cloud({})), []

    def ask() -> str:
        asked.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            preflight.once(("key",), ask)
    assert len(asked) == 1
    assert preflight.once(("other",), lambda: "yes") == "yes"
    assert preflight.once(("other",), lambda: "no") == "yes"


def test_an_interruption_is_no_answer() -> None:
    """Who asked is interrupted, and whoever asks after that asks Qlik."""
    preflight = Preflight(Cloud({}))

    def interrupted() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        preflight.once(("key",), interrupted)
    assert preflight.once(("key",), lambda: "yes") == "yes"


def test_who_waits_for_somebody_that_is_interrupted_asks() -> None:
    preflight = Preflight(Cloud({}))
    begun, go_on = threading.Event(), threading.Event()

    def interrupted() -> str:
        begun.set()
        go_on.wait(30)
        raise KeyboardInterrupt

    def waits() -> str:
        begun.wait(30)
        threading.Timer(0.05, go_on.set).start()
        return preflight.once(("key",), lambda: "yes")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(preflight.once, ("key",), interrupted)
        second = pool.submit(waits)
        assert second.result(30) == "yes"
        with pytest.raises(KeyboardInterrupt):
            first.result(30)


def test_a_tenant_that_has_no_hostname_yet_is_in_no_region() -> None:
    listed = [{"hostnames": []}, {"hostnames": ["x.us.qlikcloud.com"]}, {"hostnames": ["y.eu.qlikcloud.com"]}]
    preflight = Preflight(Cloud({}))
    preflight.once(("tenants",), lambda: listed)
    assert preflight.tenants("eu") == listed[2:]
