"""Several forms of a 404, so that no client relies on the emulator's own codes."""

from __future__ import annotations

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import CONSOLE, SOURCE, Api, error

PUBLISHED = {
    "/api/v1/tenants/none": "TENANTS-8",
    "/api/v1/groups/none": "GROUPS-7",
    "/api/v1/users/none": "USERS-7",
    "/api/v1/roles/none": "IDENTITIES-10402",
    "/api/v1/web-integrations/none": "WEBINTEGRATIONS_NOT_FOUND",
}
UNPUBLISHED = {
    "/api/v1/spaces/none": "SPACES-404",
    "/api/v1/spaces/none/assignments": "SPACES-404",
    "/api/v1/apps/none": "APPS-404",
    "/api/v1/items/none": "ITEMS-404",
    "/api/v1/identity-providers/none": "IDENTITY-PROVIDERS-404",
    "/api/v1/temp-contents/none": "TEMP-CONTENTS-404",
    "/api/v1/glossaries": "HTTP-404",
}
UNKNOWN_HOST = "nobody.eu.qlikcloud.com"


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


@pytest.mark.parametrize("form", ["published", "bare", "other"])
def test_the_setting_does_not_change_published_codes(qlik: Emulator, source: Api, form: str) -> None:
    qlik.control.settings(not_found=form)
    found = {path: error(source.get(path, expect=404))["code"] for path in PUBLISHED}
    assert found == PUBLISHED


def test_unpublished_codes_are_the_emulators_own_by_default(qlik: Emulator, source: Api) -> None:
    found = {path: error(source.get(path, expect=404))["code"] for path in UNPUBLISHED}
    assert found == UNPUBLISHED
    assert error(source.on(UNKNOWN_HOST).request_token().json())["code"] == "TENANT_NOT_FOUND"


def test_a_bare_404_has_no_body(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(not_found="bare")
    responses = [source.send("GET", path) for path in UNPUBLISHED]
    responses += [
        source.on(UNKNOWN_HOST).request_token(),
        source.on(UNKNOWN_HOST).send("GET", "/api/v1/groups/none"),
    ]
    responses.append(Api(qlik, CONSOLE, "demo-org").login().send("GET", "/api/core/tenants/none"))
    for response in responses:
        assert (response.status_code, response.content) == (404, b"")
        assert "content-type" not in response.headers


def test_the_other_form_has_one_code_and_no_detail(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(not_found="other")
    responses = [source.send("GET", path) for path in UNPUBLISHED]
    responses.append(source.on(UNKNOWN_HOST).request_token())
    for response in responses:
        entry = error(response.json())
        assert (response.status_code, entry["code"]) == (404, "NOT-FOUND")
        assert response.json()["traceId"]
        assert "detail" not in entry


def test_the_setting_changes_only_404s(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(not_found="bare")
    assert error(source.post("/api/v1/spaces", {}, expect=400))["code"] == "SPACES-400"
    source.get("/api/v1/spaces")
    qlik.control.reset()
    assert qlik.control.settings()["not_found"] == "published"
