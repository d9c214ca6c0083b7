"""An id in a path cannot redirect the request to another path."""

from __future__ import annotations

import pytest

from tenantry.providers.qlik import Cloud, ConfigurationError
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply


@pytest.mark.parametrize(
    "path",
    ["/api/v1/tenants/../users", "/api/v1//x", "/api/v1/apps/", "/api/v1/apps/.", "/a#b", "/a\\b", "/a\nb"],
)
def test_a_path_that_leads_elsewhere_is_not_sent(path: str) -> None:
    calls: list[Call] = []

    def handler(call: Call) -> Reply:
        calls.append(call)
        return Reply(200, {})

    host = Cloud(ENVIRONMENT, adapter=MockTransport(handler), clock=FakeClock()).tenant("a1.eu.qlikcloud.com")
    with pytest.raises(ConfigurationError, match="was not sent, because an id in this path is invalid"):
        host.delete(path)
    assert calls == []
