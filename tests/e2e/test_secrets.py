"""A run never leaves client secrets, tokens or licence keys behind, even after errors."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.emulator import Emulator
from tests.contract import ContractChecker
from tests.e2e import creations
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.fleet import Fleet
from tests.e2e.harness import Stack, command_line
from tests.e2e.operations import add_revive_line, renewal
from tests.e2e.result import Result
from tests.hostile import faults

WRONG_SECRET = "a-secret-mistyped"
KNOWN_SECRETS = {
    "client secret": "demo-secret",
    "organisation's client secret": "demo-org-secret",
    "wrong client secret": WRONG_SECRET,
    "licence key": "emulator-licence-key-eu",
}


class TokenRecorder:
    """A wrapper for an emulator's application that records every token that it issues."""

    def __init__(self) -> None:
        self.issued: list[str] = []

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the wrapped application."""

        async def record_tokens(scope: Scope, receive: Receive, send: Send) -> None:
            async def record(message: Message) -> None:
                if message["type"] == "http.response.body" and b"access_token" in message["body"]:
                    self.issued.append(json.loads(message["body"])["access_token"])
                await send(message)

            await app(scope, receive, record if scope.get("path") == "/oauth/token" else send)

        return record_tokens


@pytest.fixture
def tokens() -> TokenRecorder:
    """The recorder of the tokens that `qlik` issues."""
    return TokenRecorder()


@pytest.fixture
def qlik(tokens: TokenRecorder) -> Iterator[Emulator]:
    """A fresh emulator whose tokens are recorded."""
    checker = ContractChecker()
    with Emulator(middleware=lambda app: tokens.wrap(checker.wrap(app))) as emulator:
        yield emulator
    assert not checker.violations, "\n".join(checker.violations)


class Search:
    """A search for secrets in everything that a stack leaves behind."""

    def __init__(self, stack: Stack, qlik: Emulator, tokens: TokenRecorder) -> None:
        self._stack, self._qlik, self._tokens = stack, qlik, tokens
        self._command_lines: set[str] = set()

    def run(self, *args: str, expect: int = 0, **env: str) -> Result:
        """Run `pulumi` and record the command lines of all processes during the run."""
        process = self._stack.start(*args, **env)
        while (running := self._stack.processes()) or process.is_running:
            self._command_lines |= {command_line(process) for process in running}
            time.sleep(0.05)
        result = process.wait()
        assert result.rc == expect, result
        return result

    def leaks(self, *, notes: bool = True) -> list[tuple[str, str]]:
        """Return each secret that was found, with its place.

        Places are files (state, history, logs, output, notes, caches), command lines, the exported state, and
        the log of requests. With `notes`, there must be note files, otherwise there must be none.
        """
        assert len(self._command_lines) > 3
        places = {
            "command lines": "\n".join(self._command_lines).encode(),
            "requests": json.dumps(self._qlik.control.requests(all=True)).encode(),
            "stack export": json.dumps(self._stack.export()).encode(),
        }
        for file in self._stack.folder.rglob("*"):
            if file.is_file() and not any(path.is_symlink() for path in (file, *file.parents)):
                places[str(file.relative_to(self._stack.folder))] = file.read_bytes()
        for required_place in ("pulumi/state/.pulumi/history", "events-"):
            assert any(place.startswith(required_place) for place in places), (
                f"nothing was searched in {required_place}"
            )
        assert any(place.startswith("pulumi/notes/notes/") for place in places) is notes
        assert self._tokens.issued
        secrets = KNOWN_SECRETS | {
            f"token {number}": token for number, token in enumerate(self._tokens.issued)
        }
        return [
            (name, place)
            for name, secret in secrets.items()
            for place, text in places.items()
            if any(encoding.encode() in text for encoding in encodings(secret))
        ]


def encodings(secret: str) -> list[str]:
    """Return a secret in plain text, URL-encoded and in base64."""
    return [secret, quote(secret), base64.b64encode(secret.encode()).decode().rstrip("=")]


@pytest.fixture
def search(stack: Stack, qlik: Emulator, tokens: TokenRecorder) -> Search:
    """The search for secrets of the test's stack."""
    return Search(stack, qlik, tokens)


def refuse_with_secret(qlik: Emulator, status: int, secret: Callable[[], str], **rule: str) -> str:
    """Make Qlik refuse a request with a message that contains a secret."""
    body = {"errors": [{"code": "X-1", "title": "No", "detail": f"refused: {secret()}"}], "traceId": "t1"}
    return qlik.control.add_fault(status=status, body=body, times=1, **rule)


def test_no_secret_is_left_behind(
    stack: Stack, qlik: Emulator, tokens: TokenRecorder, search: Search
) -> None:
    """The runs include many refusals by Qlik, and the engine's most verbose log."""
    creations.write(stack)
    up = ("up", "--skip-preview", "--yes")
    wrong_secret = search.run(*up, expect=1, QLIK_CLIENT_SECRET=WRONG_SECRET)
    assert "QLIK_CLIENT_SECRET" in wrong_secret.output

    qlik.control.settings(tenant_quota=0)
    assert "TENANTS-22" in search.run(*up, expect=1).output
    qlik.control.settings(tenant_quota=None)

    licence = KNOWN_SECRETS["licence key"]
    refuse_with_secret(qlik, 400, lambda: f"licence {licence}", **creations.CREATIONS["tenant"])
    assert "[secure]" in search.run(*up, expect=1, **renewal(search.run(*up, expect=1))).output

    qlik.control.add_fault(drop_after=True, times=1, **creations.CREATIONS["tenant"])
    without_organisation = {"QLIK_ORG_CLIENT_ID": "", "QLIK_ORG_CLIENT_SECRET": ""}
    lost = search.run(*up, expect=1, **without_organisation, **renewal(search.run(*up, expect=1)))
    assert "its response was lost" in lost.output
    assert search.leaks() == []
    add_revive_line(stack, GLOBEX, search.run(*up, expect=1))

    refuse_with_secret(qlik, 403, lambda: f"Bearer {tokens.issued[-1]}", **creations.CREATIONS["space"])
    qlik.control.add_fault(status=401, times=1, **creations.CREATIONS["group"])
    refused = search.run(*up, "-v=9", "--logtostderr", expect=1)
    assert "403 X-1 No" in refused.output
    search.run(*up, "-v=9", "--logtostderr", "--logflow")

    qlik.control.add_fault(path="/api/v1/spaces/*", method="GET", status=401)
    assert "401" in search.run("refresh", "--skip-preview", "--yes", expect=1).output
    qlik.control.clear_faults()
    search.run("refresh", "--skip-preview", "--yes")
    search.run("stack", "output", "--json", "--show-secrets")
    assert search.leaks() == []
    search.run("destroy", "--skip-preview", "--yes")
    assert search.leaks(notes=False) == []


def test_the_search_finds_planted_secrets(stack: Stack, tokens: TokenRecorder, search: Search) -> None:
    """One secret is in the stack file, one in a note, and one in a command line."""
    stack.write(
        **settings(with_changes(GLOBEX, ("groups/Partners/description", KNOWN_SECRETS["licence key"])))
    )
    search.run("up", "--skip-preview", "--yes")
    leaks_found = search.leaks()
    assert {name for name, _ in leaks_found} == {"licence key"}
    places = " ".join(place for _, place in leaks_found)
    for place in ("stack export", "/history/", "events-", "stacks/Pulumi.globex.yaml"):
        assert place in places

    notes = Path(stack.env["TENANTRY_STATE"]) / "notes"
    (notes / "note.json").write_text(f"Bearer {tokens.issued[0]}")
    search.run("preview", "--message", WRONG_SECRET)
    names = {name for name, _ in search.leaks()}
    assert names == {"licence key", "token 0", "wrong client secret"}
    assert ("wrong client secret", "command lines") in search.leaks()


def test_tenantry_never_shows_or_stores_a_secret(
    scratch: Path, qlik: Emulator, tokens: TokenRecorder
) -> None:
    """The runs write reports and logs. Qlik's messages contain the secret and control characters."""
    fleet = Fleet(scratch, qlik)
    environment_secrets = {
        "PULUMI_CONFIG_PASSPHRASE": "pass phrase/of+pulumi",
        "PULUMI_ACCESS_TOKEN": "pul-0123456789abcdef0123456789abcdef01234567",
        "GITHUB_TOKEN": "ghs_0123456789abcdefABCDEF",
    }
    fleet.env |= environment_secrets
    fleet.write("globex", {"name": "Globex", "spaces": {"Sales": {"type": "shared"}}})
    hostile = f"{WRONG_SECRET} {quote(WRONG_SECRET)}\n::error::x\r\x1b[2J\u202e\u0085##[error]y"
    problem = {"code": hostile, "title": hostile, "detail": hostile, "source": {"pointer": hostile}}
    body = {"errors": [problem], "traceId": hostile}
    qlik.control.add_fault(path="/oauth/token", status=401, body=body)
    results = [
        fleet.run("up", "globex", "--yes", "--reports", "reports", expect=1, QLIK_CLIENT_SECRET=WRONG_SECRET),
        fleet.run("check", "globex", expect=1, QLIK_CLIENT_SECRET=WRONG_SECRET),
    ]
    qlik.control.clear_faults()
    results.append(fleet.run("up", "globex", "--yes", "--json"))
    results.extend(fleet.run(command, "--all") for command in ("preview", "status", "outputs"))
    refused = {"status": 403, "body": {"errors": [{"code": "X", "title": f"Bearer {tokens.issued[-1]}"}]}}
    qlik.control.add_fault(path="/api/v1/spaces*", **refused)
    results.append(fleet.run("refresh", "--all", "--yes", "--markdown", expect=1))

    logs = [file for file in scratch.rglob("errors.txt") if file.is_file()]
    assert len(logs) == 2, "both failed runs must have a log"
    secrets = {
        **KNOWN_SECRETS,
        **environment_secrets,
        **{f"token {n}": token for n, token in enumerate(tokens.issued)},
    }
    places = {str(result): f"{result.stdout}\n{result.stderr}".encode() for result in results}
    assert [fault for text in places.values() for fault in faults(text.decode())] == []
    places |= {str(path): path.read_bytes() for path in scratch.rglob("*") if path.is_file()}
    leaks_found = [
        (name, place)
        for name, secret in secrets.items()
        for place, text in places.items()
        if any(encoding.encode() in text for encoding in encodings(secret))
    ]
    assert leaks_found == []
