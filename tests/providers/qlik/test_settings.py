from __future__ import annotations

import pytest

from tenantry.providers.qlik import ConfigurationError, EndpointRefused
from tenantry.providers.qlik.settings import Settings, loopback
from tests.providers.qlik.conftest import MakeHarness


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:81", "http://[::1]:81"),
        ("HTTP://LocalHost:80", "http://localhost:80"),
    ],
)
def test_a_loopback_endpoint_is_accepted(url: str, base: str) -> None:
    assert loopback(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8080",
        "http://0.0.0.0:80",
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com/",
        "http://example.com#@127.0.0.1",
        "http://user:hunter2@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://127.0.0.1:80?x=y",
        "http://127.0.0.1:99999",
        "http://[::1",
        "https://127.0.0.1:8080",
        "ftp://127.0.0.1",
        "127.0.0.1:8080",
        "http://",
        "nonsense",
    ],
)
def test_any_other_endpoint_is_refused(url: str) -> None:
    with pytest.raises(EndpointRefused, match="QLIK_CLOUD_ENDPOINT") as caught:
        loopback(url)
    assert "hunter2" not in str(caught.value)


def test_an_endpoint_is_refused_before_any_request(make_harness: MakeHarness) -> None:
    harness = make_harness([], {"QLIK_CLOUD_ENDPOINT": "http://example.com"})
    with pytest.raises(EndpointRefused):
        harness.tenant.get("/api/v1/spaces")
    assert harness.network.calls == []


def test_unset_and_empty_variables_mean_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings(None, 60.0, 600.0)
    assert Settings.from_environment({"QLIK_CLOUD_ENDPOINT": "", "TENANTRY_DEADLINE": ""}) == Settings()


def test_the_environment_sets_the_values() -> None:
    environ = {"TENANTRY_REQUEST_TIMEOUT": "1.5", "TENANTRY_DEADLINE": "30"}
    assert Settings.from_environment(environ) == Settings(None, 1.5, 30.0)


@pytest.mark.parametrize("name", ["TENANTRY_REQUEST_TIMEOUT", "TENANTRY_DEADLINE"])
@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "ten", "10s"])
def test_an_invalid_number_is_refused_with_its_variable(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment({name: text})
