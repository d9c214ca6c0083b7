from __future__ import annotations

import pytest

from tenantry.providers.qlik import UnexpectedResponse
from tenantry.providers.qlik.testing import Call, Reply
from tests.providers.qlik.conftest import TENANT, MakeHarness
from tests.providers.qlik.secrecy import all_text


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status, content=b"<html>over there</html>", headers={"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "/api/v1/users/7?x=1",
        f"https://{TENANT}/api/v1/users/7?x=1",
        f"http://{TENANT}/api/v1/users/7?x=1",
        f"https://{TENANT.upper()}:443/api/v1/users/7?x=1",
    ],
)
def test_a_redirect_on_the_same_host_is_followed_with_the_token(
    make_harness: MakeHarness, status: int, location: str
) -> None:
    harness = make_harness([redirect(location, status), Reply(200, {"id": "7"})])
    assert harness.tenant.get("/api/v1/users/me", {"only_in": "first_request"}) == {"id": "7"}
    second = harness.api_calls[1]
    assert (second.method, second.host, second.path, second.params) == (
        "GET",
        TENANT,
        "/api/v1/users/7",
        {"x": ["1"]},
    )
    assert second.headers["Authorization"] == f"Bearer token-of-{TENANT}"


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/api",
        "//evil.example/api",
        "https://other.eu.qlikcloud.com/api",
        f"https://{TENANT}.evil.example/api",
        f"https://{TENANT}@evil.example/api",
    ],
)
def test_a_redirect_to_another_host_is_refused(make_harness: MakeHarness, location: str) -> None:
    harness = make_harness([redirect(location)])
    with pytest.raises(UnexpectedResponse, match="another host") as caught:
        harness.tenant.get("/x")
    assert len(harness.api_calls) == 1
    assert "token-of" not in all_text(caught.value)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_redirect_of_a_write_request_is_refused(make_harness: MakeHarness, method: str) -> None:
    harness = make_harness([redirect("/elsewhere", 307)])
    with pytest.raises(UnexpectedResponse, match="redirect"):
        getattr(harness.tenant, method)("/x")
    assert len(harness.api_calls) == 1


def test_a_redirect_of_a_token_request_is_refused(make_harness: MakeHarness) -> None:
    harness = make_harness([redirect("/elsewhere")], tokens=False)
    with pytest.raises(UnexpectedResponse):
        harness.tenant.get("/x")
    assert len(harness.network.calls) == 1


def test_endless_redirects_are_an_error(make_harness: MakeHarness) -> None:
    harness = make_harness(lambda call: redirect("/again"))
    with pytest.raises(UnexpectedResponse, match="more than 5 redirects"):
        harness.tenant.get("/x")
    assert len(harness.api_calls) == 6


@pytest.mark.parametrize("reply", [Reply(302), redirect(""), redirect("relative"), Reply(304)], ids=str)
def test_a_redirect_without_a_valid_location_is_an_error(make_harness: MakeHarness, reply: Reply) -> None:
    with pytest.raises(UnexpectedResponse):
        make_harness([reply]).tenant.get("/x")


def test_a_redirect_of_a_list_is_followed(make_harness: MakeHarness) -> None:
    def handler(call: Call) -> Reply:
        return redirect("/there") if call.path == "/here" else Reply(200, {"data": [{"id": "1"}]})

    assert list(make_harness(handler).tenant.list("/here")) == [{"id": "1"}]
