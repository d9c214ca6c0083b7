"""Requests that Tenantry sends only once for all stacks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import Cloud


def test_a_result_or_an_error_takes_only_one_request() -> None:
    preflight, requests = Preflight(Cloud({})), []

    def fail() -> str:
        requests.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            preflight.once(("key",), fail)
    assert len(requests) == 1
    assert preflight.once(("other",), lambda: "yes") == "yes"
    assert preflight.once(("other",), lambda: "no") == "yes"


def test_an_interruption_is_not_stored() -> None:
    """The next caller sends the request again."""
    preflight = Preflight(Cloud({}))

    def interrupt() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        preflight.once(("key",), interrupt)
    assert preflight.once(("key",), lambda: "yes") == "yes"


def test_a_waiting_caller_sends_the_request_if_the_first_one_is_interrupted() -> None:
    preflight = Preflight(Cloud({}))
    is_running, may_continue = threading.Event(), threading.Event()

    def interrupt() -> str:
        is_running.set()
        may_continue.wait(30)
        raise KeyboardInterrupt

    def wait_for_result() -> str:
        is_running.wait(30)
        threading.Timer(0.05, may_continue.set).start()
        return preflight.once(("key",), lambda: "yes")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(preflight.once, ("key",), interrupt)
        second = pool.submit(wait_for_result)
        assert second.result(30) == "yes"
        with pytest.raises(KeyboardInterrupt):
            first.result(30)


def test_a_tenant_without_a_hostname_is_in_no_region() -> None:
    listed = [{"hostnames": []}, {"hostnames": ["x.us.qlikcloud.com"]}, {"hostnames": ["y.eu.qlikcloud.com"]}]
    preflight = Preflight(Cloud({}))
    preflight.once(("tenants",), lambda: listed)
    assert preflight.tenants("eu") == listed[2:]
