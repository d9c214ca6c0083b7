"""OAuth clients from the environment, by host.

A region's client works on the source tenant, the register host and every tenant of its region, and not in
other regions. The organisation's client works only on console.qlikcloud.com (qlik.dev, "Create a region-level
OAuth client" and "Get started with organization APIs").
"""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.providers.qlik.errors import CredentialsCommandFailed, CredentialsMissing

COMMAND = "QLIK_CREDENTIALS_COMMAND"
COMMAND_SECONDS = 60.0

Pair = tuple[str, str]


def _pair(prefix: str, suffix: str = "") -> Pair:
    return f"{prefix}_ID{suffix}", f"{prefix}_SECRET{suffix}"


GENERAL = _pair("QLIK_CLIENT")
ORGANISATION = _pair("QLIK_ORG_CLIENT")


@dataclass(frozen=True, slots=True)
class Credentials:
    """An OAuth client. `source` names its origin in messages."""

    client_id: str
    client_secret: str
    source: str

    def __repr__(self) -> str:
        return f"Credentials(client_id='[secure]', client_secret='[secure]', source={self.source!r})"


class CredentialSource:
    """A source of OAuth clients, which are read when first needed. Thread-safe."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lock = threading.Lock()
        self._output: dict[str, Any] | None = None
        self._failure = ""

    def __repr__(self) -> str:
        return "CredentialSource([secure])"

    @property
    def has_organisation(self) -> bool:
        """True if an organisation client is set. Runs the credentials command if it could return one."""
        return self._organisation() is not None

    def organisation(self) -> Credentials:
        """Return the organisation's client. Raises CredentialsMissing, CredentialsCommandFailed."""
        found = self._organisation()
        if found is None:
            raise _missing("the organisation (console.qlikcloud.com)", [ORGANISATION], "organisation")
        return found

    def region(self, region: str) -> Credentials:
        """Return the client for `region` ("eu"). Raises CredentialsMissing, CredentialsCommandFailed.

        The sources are, in this order: the region's own variables, the general variables, the command.
        """
        own = _pair("QLIK_CLIENT", f"_{region.upper().replace('-', '_')}")
        found = self._variables(own) or self._variables(GENERAL) or self._from_command(region)
        if found is None:
            raise _missing(f"region {region}", [own, GENERAL], f"regions.{region}")
        return found

    def _organisation(self) -> Credentials | None:
        return self._variables(ORGANISATION) or self._from_command(None)

    def _variables(self, names: Pair) -> Credentials | None:
        """Read a pair of variables. None if neither is set. Only one of them is an error."""
        values = [self._environ.get(name, "") for name in names]
        if not any(values):
            return None
        for name, value, other in zip(names, values, reversed(names), strict=True):
            if not value:
                raise CredentialsMissing(f"{other} is set, but {name} is not. An OAuth client needs both.")
        return Credentials(values[0], values[1], " and ".join(names))

    def _from_command(self, region: str | None) -> Credentials | None:
        if not self._environ.get(COMMAND, "").strip():
            return None
        output = self._run_once()
        if region is None:
            return _client(output.get("organisation"), "organisation")
        regions = output.get("regions") or {}
        if not isinstance(regions, dict):
            raise _unusable("`regions` is not an object")
        if region in regions:
            return _client(regions[region], f"regions.{region}")
        return _client(output, "the client") if "client_id" in output else None

    def _run_once(self) -> dict[str, Any]:
        """Run the command only once, even if it fails, because it may prompt or count failed logins."""
        with self._lock:
            if self._output is None and not self._failure:
                try:
                    self._output = _run(self._environ[COMMAND])
                except CredentialsCommandFailed as error:
                    self._failure = str(error)
            if self._output is None:
                raise CredentialsCommandFailed(self._failure)
            return self._output


def _missing(what: str, pairs: Sequence[Pair], key: str) -> CredentialsMissing:
    variables = ", or ".join(map(" and ".join, pairs))
    return CredentialsMissing(
        f"No OAuth client for {what}. Looked for {variables}, or {COMMAND} (its JSON: {key} with client_id"
        " and client_secret). Set one of these in the environment."
    )


def _unusable(reason: str) -> CredentialsCommandFailed:
    return CredentialsCommandFailed(
        f'{COMMAND}: {reason}. It must print JSON: {{"client_id": …, "client_secret": …}}, or'
        ' {"regions": {"eu": {…}}, "organisation": {…}}. Its output is not shown, as it may hold secrets.'
    )


def _client(value: Any, key: str) -> Credentials | None:
    if value is None:
        return None
    fields = value if isinstance(value, dict) else {}
    match fields.get("client_id"), fields.get("client_secret"):
        case str(id_), str(secret) if id_ and secret:
            return Credentials(id_, secret, f"{COMMAND} ({key})")
    raise _unusable(f"{key} lacks client_id or client_secret")


def _run(command: str) -> dict[str, Any]:
    """Run `command` without a shell, and return the JSON object that it prints.

    The error is raised outside of `except`, because its context would contain the output.
    """
    reason, output = "", None
    try:
        words = shlex.split(command)
        process = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=True
        )
        output = json.loads(process.stdout)
    except subprocess.CalledProcessError as error:
        reason = f"it ended with exit code {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"it took more than {COMMAND_SECONDS:g} s"
    except OSError as error:
        reason = f"it could not be started ({error.strerror})"
    except ValueError:  # unbalanced quotes, not JSON, not text
        reason = "the command line is invalid, or the output is not JSON"
    if not reason and not isinstance(output, dict):
        reason = "the output is not a JSON object"
    if reason:
        raise _unusable(reason)
    assert isinstance(output, dict)  # noqa: S101 - for the type checker; checked above
    return output
