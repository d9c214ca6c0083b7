from __future__ import annotations

import pytest

from tenantry.providers.qlik import HostRefused
from tests.providers.qlik.conftest import MakeHarness


def test_a_host_knows_its_region(make_harness: MakeHarness) -> None:
    cloud = make_harness([]).cloud
    hosts = [cloud.tenant("X1y2.eu.QlikCloud.com"), cloud.register("us"), cloud.organisation()]
    assert [(host.hostname, host.region) for host in hosts] == [
        ("x1y2.eu.qlikcloud.com", "eu"),
        ("register.us.qlikcloud.com", "us"),
        ("console.qlikcloud.com", ""),
    ]


def test_a_host_of_the_government_cloud_knows_its_region(make_harness: MakeHarness) -> None:
    assert make_harness([]).cloud.tenant("acme.us-gov.qlikcloudgov.com").region == "us-gov"


@pytest.mark.parametrize(
    "hostname",
    [
        "",
        "acme",
        "acme.eu.qlikcloud.com.example.com",
        "acme.eu.example.com",
        "eu.qlikcloud.com",
        "a.b.eu.qlikcloud.com",
        "acme.eu.qlikcloud.com:8443",
        "https://acme.eu.qlikcloud.com",
        "acme.eu.qlikcloud.com/",
        "acme.eu.qlikcloud.com\n",
        "user@acme.eu.qlikcloud.com",
        "evilqlikcloud.com",
        "-a.eu.qlikcloud.com",
    ],
)
def test_a_host_outside_qlik_cloud_is_refused(make_harness: MakeHarness, hostname: str) -> None:
    with pytest.raises(HostRefused, match="qlikcloud"):
        make_harness([]).cloud.tenant(hostname)


def test_an_invalid_region_is_refused(make_harness: MakeHarness) -> None:
    with pytest.raises(HostRefused):
        make_harness([]).cloud.register("eu.example")
