"""404s in several looks, so that no client relies on codes that are the emulator's own."""

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
NOBODY = "nobody.eu.qlikcloud.com"


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


@pytest.mark.parametrize("look", ["published", "bare", "other"])
def test_published_codes_look_the_same_whatever_the_others_do(qlik: Emulator, source: Api, look: str) -> None:
    qlik.control.settings(not_found=look)
    found = {path: error(source.get(path, expect=404))["code"] for path in PUBLISHED}
    assert found == PUBLISHED


def test_other_codes_are_the_emulators_own_unless_asked_for(qlik: Emulator, source: Api) -> None:
    found = {path: error(source.get(path, expect=404))["code"] for path in UNPUBLISHED}
    assert found == UNPUBLISHED
    assert error(source.on(NOBODY).ask_token().json())["code"] == "TENANT_NOT_FOUND"


def test_a_bare_404_has_nothing_in_it(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(not_found="bare")
    answers = [source.send("GET", path) for path in UNPUBLISHED]
    answers += [source.on(NOBODY).ask_token(), source.on(NOBODY).send("GET", "/api/v1/groups/none")]
    answers.append(Api(qlik, CONSOLE, "demo-org").login().send("GET", "/api/core/tenants/none"))
    for answer in answers:
        assert (answer.status_code, answer.content) == (404, b"")
        assert "content-type" not in answer.headers


def test_another_code_says_nothing_but_not_found(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(not_found="other")
    answers = [source.send("GET", path) for path in UNPUBLISHED]
    answers.append(source.on(NOBODY).ask_token())
    for answer in answers:
        entry = error(answer.json())
        assert (answer.status_code, entry["code"]) == (404, "NOT-FOUND")
        assert answer.json()["traceId"]
        assert "detail" not in entry


def test_it_is_about_404s_only(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(not_found="bare")
    assert error(source.post("/api/v1/spaces", {}, expect=400))["code"] == "SPACES-400"
    source.get("/api/v1/spaces")
    qlik.control.reset()
    assert qlik.control.settings()["not_found"] == "published"
