"""Checks every response of the emulator against Qlik's contract."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.emulator.contract import Operation, contract
from tenantry.emulator.hosts import Host

PLATFORM = {"400", "401", "403", "429"}
"""Statuses that every operation may return, listed or not (contract README, "Every API")."""

BEFORE_ROUTING = {"TENANT_DISABLED", "TENANT_NOT_FOUND", "HTTP-401", "HTTP-429"}
"""Codes of the gateway in front of all APIs, which has its own envelope."""

UNPUBLISHED = {
    ("apps", "*"): {"404"},
    ("groups", "deleteGroupById"): {"409"},
    ("groups", "updateGroupById"): {"409"},
    ("spaces", "updateSpaceById"): {"409"},
    ("spaces", "patchSpaceById"): {"409"},
}
"""Responses that must exist although Qlik does not list them: deleted apps, taken names, groups in use."""

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
        checked: number of responses that were checked against an operation.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.checked = 0

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the application with a check of every response."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            answer = _Answer()

            async def keep_and_send(message: Message) -> None:
                answer.take(message)
                await send(message)

            await app(scope, receive, keep_and_send)
            self._check(scope, answer)

        return watched

    def _check(self, scope: Scope, answer: _Answer) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        host = Host.parse(headers.get("host", ""))
        login_service = host.kind == "unknown" and answer.status == 200
        if host.kind == "loopback" or login_service or not answer.status:
            return
        if "x-emulator-fault" in answer.headers:
            return
        found = contract().find(scope["method"], scope["path"])
        if found is None or found[0].host not in ("any", host.kind) or not found[0].is_described:
            self._envelope(scope, answer)
            return
        self.checked += 1
        for problem in problems(found[0], answer, scope["query_string"].decode("latin-1")):
            self.violations.append(f"{scope['method']} {scope['path']} -> {answer.status}: {problem}")

    def _envelope(self, scope: Scope, answer: _Answer) -> None:
        if answer.status not in (400, 401, 404, 501) or not _fits(ENVELOPE, answer.body):
            self.violations.append(f"{scope['method']} {scope['path']} -> {answer.status}: not an operation")


class _Answer:
    """Status, headers and JSON of one response, as sent over the wire."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._raw = bytearray()
        self.size = 0

    def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in message["headers"]}
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


def problems(operation: Operation, answer: _Answer, query: str) -> list[str]:
    """Return the violations of a response; empty if the contract allows it."""
    status = str(answer.status)
    if answer.status >= 400 and not _fits(ENVELOPE, answer.body):
        return ["not Qlik's error envelope"]
    if answer.status >= 400 and answer.body["errors"][0]["code"] in BEFORE_ROUTING:
        return []
    listed = operation.responses.get(status) or (
        operation.responses.get("default") if status >= "400" else None
    )
    if listed is None:
        extra = UNPUBLISHED.get((operation.api, "*"), set()) | UNPUBLISHED.get(
            (operation.api, operation.id), set()
        )
        if status not in PLATFORM | extra:
            return [f"status not listed for {operation.id}"]
        return []
    missing = [
        f"header {name} is missing"
        for name in listed.get("headers", {})
        if name.lower() in ("location", "retry-after") and name.lower() not in answer.headers
    ]
    return missing + _body_problems(operation, listed, answer, query)


def _body_problems(operation: Operation, listed: dict[str, Any], answer: _Answer, query: str) -> list[str]:
    schema = listed.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        allowed = answer.status >= 400 or (listed.get("content") and not answer.is_json)
        return [] if allowed or not answer.size else ["a body, but the contract has none"]
    body = answer.body
    if answer.status >= 400:
        # Every API sends it, although some schemas do not list it.
        body.pop("traceId")
    if operation.api == "items" and "noActions=true" in query:
        # "the array is then absent although the schema requires it"
        for item in body.get("data", []):
            item.setdefault("actions", [])
    return [
        f"/{'/'.join(map(str, e.instance_path))} {e.message}"
        for e in operation.document.validator(schema).iter_errors(body)
    ]


def _fits(schema: dict[str, Any], body: Any) -> bool:
    return jsonschema_rs.is_valid(schema, body)
