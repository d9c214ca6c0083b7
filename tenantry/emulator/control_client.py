"""The control API from Python, with the standard library alone."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


class ControlError(Exception):
    """The emulator refused a control request; the text says why."""


class Control:
    """Drives a running emulator.

    Args:
        url: such as `http://127.0.0.1:8765`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = urlsplit(url)

    def health(self) -> dict[str, Any]:
        """`status`, `time`, `tenants`, `operations`, `waiting` and `unknown` (what was asked in vain)."""
        found: dict[str, Any] = self._ask("GET", "health")
        return found

    def reset(self) -> None:
        """Back to the seed."""
        self._ask("POST", "reset", {})

    def requests(self, *, clear: bool = False, all: bool = False) -> list[dict[str, Any]]:
        """The request log, oldest first, without those made with the emulator's own token unless `all`."""
        entries = self._ask("GET", "requests")
        if clear:
            self.clear_requests()
        return [entry for entry in entries if all or entry["client"] != "emulator"]

    def clear_requests(self) -> None:
        """Empty the log."""
        self._ask("DELETE", "requests")

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The rules in force, with `id`, `matched` and `hit`."""
        rules: list[dict[str, Any]] = self._ask("GET", "faults")
        return rules

    def add_fault(self, **rule: Any) -> str:
        """Put a rule in force; returns its id. See docs/emulator.md for what a rule may hold."""
        return str(self._ask("POST", "faults", rule)["id"])

    def release(self, fault_id: str) -> None:
        """Take one rule out of force; what it holds goes on."""
        self._ask("DELETE", f"faults/{fault_id}")

    def clear_faults(self) -> None:
        """Take all out of force."""
        self._ask("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock forward."""
        self._ask("POST", "clock", {"advance_seconds": seconds})

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings, if any are named; returns all of them."""
        now: dict[str, Any] = self._ask("POST" if changes else "GET", "settings", changes or None)
        return now

    def dump(self) -> dict[str, Any]:
        """All state: hostname -> kind -> documents; `cloud` holds what belongs to no tenant."""
        found: dict[str, Any] = self._ask("GET", "dump")
        return found

    def token(self, host: str) -> str:
        """A token of an administrator of that tenant other than the clients."""
        return str(self._ask("POST", "tokens", {"host": host})["access_token"])

    def _ask(self, method: str, name: str, body: Any = None) -> Any:
        status, answer = send(self.url, method, self._address.netloc, f"/_emulator/{name}", json_body=body)
        if status >= 400:
            raise ControlError(f"{method} /_emulator/{name}: {status} {(answer or {}).get('error', '')}")
        return answer


def send(
    url: str,
    method: str,
    host: str,
    path: str,
    *,
    json_body: Any = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """Send one request to an emulator.

    Args:
        url: where it listens.
        host: the Host header.

    Returns:
        Status and parsed JSON; None for an empty body, bytes for anything else.
    """
    address = urlsplit(url)
    connection = _connection(address.scheme, address.hostname or "", address.port or 0)
    sent = {"host": host, **(headers or {})}
    data = None
    if json_body is not None:
        data = json.dumps(json_body).encode()
        sent["content-type"] = "application/json"
    try:
        connection.request(method, path, body=data, headers=sent)
        response = connection.getresponse()
        raw = response.read()
    finally:
        connection.close()
    if "json" in response.headers.get("content-type", ""):
        return response.status, json.loads(raw)
    return response.status, raw or None


def _connection(scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=60)
    import ssl

    # The certificate names Qlik's hosts; on loopback there is nobody to mistake the emulator for.
    return http.client.HTTPSConnection(host, port, timeout=60, context=ssl._create_unverified_context())  # noqa: S323
