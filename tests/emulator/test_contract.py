"""The contract as data, and the checker that all other tests use."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tenantry.emulator.apis import apps  # noqa: F401 - registers the handlers
from tenantry.emulator.call import HANDLERS
from tenantry.emulator.contract import Document, contract
from tenantry.emulator.errors import Invalid
from tests.contract import ContractChecker
from tests.emulator.api import SOURCE

GROUP = {
    "id": "1",
    "tenantId": "t",
    "name": "Analysts",
    "status": "active",
    "createdAt": "2026-01-01T00:00:00Z",
    "lastUpdatedAt": "2026-01-01T00:00:00Z",
    "links": {"self": {"href": "https://x/api/v1/groups/1"}},
}
ERROR = {"errors": [{"code": "GROUPS-7", "title": "Not found", "status": 404}], "traceId": "0"}


def check(
    response: Response, method: str = "GET", path: str = "/api/v1/groups/1", host: str = SOURCE
) -> list[str]:
    """Return what the checker reports for one response."""
    checker = ContractChecker()

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        del message

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", host.encode())],
    }

    async def run() -> None:
        await checker.wrap(app)(scope, receive, send)

    asyncio.run(run())
    return checker.violations


@pytest.mark.parametrize(
    "response",
    [JSONResponse(GROUP), JSONResponse(ERROR, 404), JSONResponse(ERROR, 429, {"retry-after": "3"})],
)
def test_the_checker_accepts_good_responses(response: Response) -> None:
    assert check(response) == []


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (JSONResponse(GROUP, 202), "not listed"),
        (JSONResponse(GROUP | {"name": 1}), "not of type"),
        (JSONResponse(GROUP | {"surprise": 1}), "surprise"),
        (JSONResponse(GROUP | {"createdAt": "yesterday"}), "date-time"),
        (JSONResponse({k: v for k, v in GROUP.items() if k != "status"}), "required"),
        (JSONResponse({"error": "no"}, 404), "envelope"),
        (JSONResponse({"errors": [], "traceId": "0"}, 404), "envelope"),
        (JSONResponse(ERROR | {"errors": [{"code": 1, "title": ""}]}, 404), "not of type"),
        (JSONResponse(ERROR, 418), "not listed"),
    ],
)
def test_the_checker_reports_bad_responses(response: Response, text: str) -> None:
    (violation,) = check(response)
    assert text in violation


def test_the_checker_checks_empty_bodies_headers_and_hosts() -> None:
    assert "a body" in check(JSONResponse(GROUP, 204), "PATCH")[0]
    assert check(Response(status_code=204), "PATCH") == []
    assert "location" in check(Response(status_code=201), "POST", "/api/v1/apps/1/export")[0].lower()
    assert "not an operation" in check(JSONResponse(GROUP), path="/api/v1/nothing")[0]
    assert "not an operation" in check(JSONResponse(GROUP), host="register.eu.qlikcloud.com")[0]


def test_every_handler_is_an_operation_of_the_contract() -> None:
    assert set(HANDLERS) <= {(operation.api, operation.id) for operation in contract().operations}


def test_fixed_paths_come_before_ids() -> None:
    for path, operation_id in [
        ("/api/v1/users/me", "getMyUser"),
        ("/api/v1/users/5", "getUserById"),
        ("/api/v1/apps/import", "importApp"),
        ("/api/v1/groups/settings", "groups_api_get_settings"),
        ("/api/v1/tenants/me", "getApiV1TenantsMe"),
    ]:
        found = contract().find("POST" if path.endswith("import") else "GET", path)
        assert found
        assert found[0].id == operation_id


def test_an_error_never_repeats_a_refused_value() -> None:
    found = contract().find("POST", "/oauth/token")
    assert found
    for body in ({"client_secret": "hush", "grant_type": "x"}, ["hush"], "hush", {"hush": "hush"}):
        with pytest.raises(Invalid) as caught:
            found[0].check_body(json.loads(json.dumps(body)))
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "pairs",
    [
        [("limit", "x")],
        [("limit", "1.5")],
        [("limit", "0")],
        [("limit", "5"), ("limit", "6")],
        [("colour", "red")],
    ],
)
def test_a_bad_query_is_refused(pairs: list[tuple[str, str]]) -> None:
    found = contract().find("GET", "/api/v1/groups")
    assert found
    with pytest.raises(Invalid):
        found[0].check_query(pairs)


@pytest.mark.parametrize(
    "extension",
    [
        {"properties": {"id": {"type": "string"}}},
        {"allOf": [{"type": "object", "properties": {"id": {"type": "string"}}}]},
    ],
    ids=["beside-allof", "within-allof"],
)
def test_a_schema_that_extends_another_allows_no_further_members(
    tmp_path: Path, extension: dict[str, Any]
) -> None:
    """It allows only the members of both schemas, even if its own members are in `allOf`."""
    base = {"type": "object", "properties": {"name": {"type": "string"}}}
    both = {**extension, "allOf": [{"$ref": "#/components/schemas/Base"}, *extension.get("allOf", [])]}
    file = tmp_path / "banners.yaml"
    file.write_text(yaml.safe_dump({"components": {"schemas": {"Base": base, "Both": both}}}))
    validator = Document(file).validator({"$ref": "#/components/schemas/Both"})
    assert validator.is_valid({"name": "a", "id": "1"})
    assert not validator.is_valid({"name": "a", "id": "1", "colour": "red"})
    assert not validator.is_valid({"name": 1})
