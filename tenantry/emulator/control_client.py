"""A client of the control API. It needs only the standard library."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


class ControlError(Exception):
    """The emulator refused a control request. The text says why."""


class Control:
    """The controls of a running emulator.

    Args:
        url: the emulator's address, such as `http://127.0.0.1:8765`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = urlsplit(url)

    def health(self) -> dict[str, Any]:
        """Return `status`, `time`, `tenants`, `operations`, `waiting` and `unknown` (unknown requests)."""
        found: dict[str, Any] = self._request("GET", "health")
        return found

    def reset(self) -> None:
        """Restore the seed."""
        self._request("POST", "reset", {})

    def requests(self, *, clear: bool = False, all: bool = False) -> list[dict[str, Any]]:
        """Return the request log, oldest first. Requests with the emulator's own token need `all=True`."""
        entries = self._request("GET", "requests")
        if clear:
            self.clear_requests()
        return [entry for entry in entries if all or entry["client"] != "emulator"]

    def clear_requests(self) -> None:
        """Empty the log."""
        self._request("DELETE", "requests")

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The active rules, each with `id`, `matched` and `hit`."""
        rules: list[dict[str, Any]] = self._request("GET", "faults")
        return rules

    def add_fault(self, **rule: Any) -> str:
        """Activate a rule and return its id. docs/emulator.md lists the keys of a rule."""
        return str(self._request("POST", "faults", rule)["id"])

    def release(self, fault_id: str) -> None:
        """Remove one rule. Requests that it holds go on."""
        self._request("DELETE", f"faults/{fault_id}")

    def clear_faults(self) -> None:
        """Remove all rules."""
        self._request("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock forward."""
        self._request("POST", "clock", {"advance_seconds": seconds})

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change the given settings, if any. Return all settings."""
        current: dict[str, Any] = self._request("POST" if changes else "GET", "settings", changes or None)
        return current

    def dump(self) -> dict[str, Any]:
        """Return all state: hostname -> kind -> documents. `cloud` holds the documents outside any tenant."""
        found: dict[str, Any] = self._request("GET", "dump")
        return found

    def token(self, host: str) -> str:
        """Return a token of an extra administrator of the tenant, who is not one of the clients."""
        return str(self._request("POST", "tokens", {"host": host})["access_token"])

    def _request(self, method: str, name: str, body: Any = None) -> Any:
        status, response = send(self.url, method, self._address.netloc, f"/_emulator/{name}", json_body=body)
        if status >= 400:
            raise ControlError(f"{method} /_emulator/{name}: {status} {(response or {}).get('error', '')}")
        return response


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
        url: the address of the emulator.
        host: the Host header.

    Returns:
        The status, and the parsed JSON: None for an empty body, bytes for anything else.
    """
    address = urlsplit(url)
    connection = _connection(address.scheme, address.hostname or "", address.port or 0)
    all_headers = {"host": host, **(headers or {})}
    data = None
    if json_body is not None:
        data = json.dumps(json_body).encode()
        all_headers["content-type"] = "application/json"
    try:
        connection.request(method, path, body=data, headers=all_headers)
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

    # The certificate names Qlik's hosts. On loopback, nobody else can pretend to be the emulator.
    return http.client.HTTPSConnection(host, port, timeout=60, context=ssl._create_unverified_context())  # noqa: S323
