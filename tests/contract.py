"""Checks every response of the emulator against Qlik's contract."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.emulator.contract import Operation, contract
from tenantry.emulator.hosts import Host

PLATFORM = {"400", "401", "403", "429"}
"""Statuses that every operation can return, documented or not (contract README, "Every API")."""

BEFORE_ROUTING = {"TENANT_DISABLED", "TENANT_NOT_FOUND", "HTTP-401", "HTTP-429"}
"""Error codes of the gateway in front of all APIs, which has its own envelope."""

UNPUBLISHED = {
    ("apps", "*"): {"404"},
    ("groups", "deleteGroupById"): {"409"},
    ("groups", "updateGroupById"): {"409"},
    ("spaces", "updateSpaceById"): {"409"},
    ("spaces", "patchSpaceById"): {"409"},
}
"""Statuses that Qlik does not document: for deleted apps, and for names and groups that are in use."""

ENVELOPE = {
    "type": "object",
    "required": ["errors", "traceId"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["code", "title"]},
        },
        "traceId": {"type": "string"},
    },
}


class ContractChecker:
    """Middleware that collects violations of the contract.

    Attributes:
        violations: one line per violation.
        checked: the number of responses that were checked against an operation.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.checked = 0

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the application with a check of every response."""

        async def checked_app(scope: Scope, receive: Receive, send: Send) -> None:
            response = _Response()

            async def record_and_send(message: Message) -> None:
                response.record(message)
                await send(message)

            await app(scope, receive, record_and_send)
            self._check(scope, response)

        return checked_app

    def _check(self, scope: Scope, response: _Response) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        host = Host.parse(headers.get("host", ""))
        login_service = host.kind == "unknown" and response.status == 200
        if host.kind == "loopback" or login_service or not response.status:
            return
        if "x-emulator-fault" in response.headers:
            return
        match = contract().find(scope["method"], scope["path"])
        if match is None or match[0].host not in ("any", host.kind) or not match[0].is_described:
            self._check_envelope(scope, response)
            return
        self.checked += 1
        for problem in problems(match[0], response, scope["query_string"].decode("latin-1")):
            self.violations.append(f"{scope['method']} {scope['path']} -> {response.status}: {problem}")

    def _check_envelope(self, scope: Scope, response: _Response) -> None:
        if response.status not in (400, 401, 404, 501) or not _is_valid(ENVELOPE, response.body):
            self.violations.append(
                f"{scope['method']} {scope['path']} -> {response.status}: not an operation"
            )


class _Response:
    """The status, headers and JSON of one response, as sent over the network."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._raw = bytearray()
        self.size = 0

    def record(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            if self.is_json:
                self._raw += message.get("body", b"")

    @property
    def is_json(self) -> bool:
        return "json" in self.headers.get("content-type", "")

    @property
    def body(self) -> Any:
        return json.loads(self._raw) if self._raw else None


def problems(operation: Operation, response: _Response, query: str) -> list[str]:
    """Return the violations of a response. The list is empty if the contract allows the response."""
    status = str(response.status)
    if response.status >= 400 and not _is_valid(ENVELOPE, response.body):
        return ["not Qlik's error envelope"]
    if response.status >= 400 and response.body["errors"][0]["code"] in BEFORE_ROUTING:
        return []
    documented = operation.responses.get(status) or (
        operation.responses.get("default") if status >= "400" else None
    )
    if documented is None:
        extra = UNPUBLISHED.get((operation.api, "*"), set()) | UNPUBLISHED.get(
            (operation.api, operation.id), set()
        )
        if status not in PLATFORM | extra:
            return [f"status not listed for {operation.id}"]
        return []
    missing = [
        f"header {name} is missing"
        for name in documented.get("headers", {})
        if name.lower() in ("location", "retry-after") and name.lower() not in response.headers
    ]
    return missing + _body_problems(operation, documented, response, query)


def _body_problems(
    operation: Operation, documented: dict[str, Any], response: _Response, query: str
) -> list[str]:
    schema = documented.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        allowed = response.status >= 400 or (documented.get("content") and not response.is_json)
        return [] if allowed or not response.size else ["a body, but the contract has none"]
    body = response.body
    if response.status >= 400:
        # Every API sends `traceId`, although some schemas do not list it.
        body.pop("traceId")
    if operation.api == "items" and "noActions=true" in query:
        # Then, the array is absent, although the schema requires it.
        for item in body.get("data", []):
            item.setdefault("actions", [])
    return [
        f"/{'/'.join(map(str, e.instance_path))} {e.message}"
        for e in operation.document.validator(schema).iter_errors(body)
    ]


def _is_valid(schema: dict[str, Any], body: Any) -> bool:
    return jsonschema_rs.is_valid(schema, body)
