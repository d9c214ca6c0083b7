"""OAuth clients with the real engine: their secrets are outputs, can rotate, and are never in plain text."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.unchanged.lookup import Verdict, compare
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.fleet import Fleet
from tests.e2e.harness import PULUMI, Stack
from tests.providers.test_oauth_client import EXAMPLE, PATH


def read_secrets(stack: Stack) -> dict[str, str]:
    """Return the secrets as a user reads them. Do not use `stack.pulumi`, which records the output."""
    completed = subprocess.run(
        [PULUMI, "stack", "output", "--json", "--show-secrets", "--stack", stack.name],
        cwd=stack.folder,
        env=stack.env,
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    )
    found: dict[str, str] = json.loads(completed.stdout)["oauth_client_secrets"]
    return found


def test_secrets_of_oauth_clients_are_never_in_plain_text(stack: Stack, qlik: Emulator) -> None:
    """Each rotation changes the secret. Without the block, the outputs are removed as well."""
    secrets = []
    results = []
    for version in (1, 2, 3):
        clients = EXAMPLE | {"Portal": EXAMPLE["Portal"] | {"secret_version": version}}
        stack.write(**settings(with_changes(GLOBEX, ("oauth_clients", clients))))
        results.append(stack.preview("--diff"))
        results.append(stack.up())
        secrets_of_run = read_secrets(stack)
        assert secrets_of_run.keys() == {"Portal"}
        secrets.append(secrets_of_run["Portal"])
        results.append(stack.pulumi("refresh", "--yes", "--skip-preview", "--diff"))
        results.append(stack.up("--expect-no-changes"))
    assert len(set(secrets)) == len(secrets)
    [client_at_qlik] = [
        client
        for docs in qlik.control.dump().values()
        for client in docs.get("oauth-client", [])
        if client["appType"] == "web"
    ]
    assert [secret["hint"] for secret in client_at_qlik["_secrets"]] == [secret[:5] for secret in secrets[1:]]
    results.append(stack.pulumi("stack", "output", "--json"))
    assert json.loads(results[-1].stdout)["oauth_client_secrets"] == {"Portal": "[secret]"}
    assert json.loads(results[-1].stdout)["oauth_clients"]["Portal"] == client_at_qlik["id"]

    texts = {
        f"{number} {result.args}": f"{result.output}{result.events}" for number, result in enumerate(results)
    }
    texts["stack export"] = json.dumps(stack.export())
    texts["requests"] = json.dumps(qlik.control.requests(all=True))
    for file in stack.folder.rglob("*"):
        if file.is_file() and not any(path.is_symlink() for path in (file, *file.parents)):
            texts[str(file)] = file.read_text("utf-8", "replace")
    assert [place for place, text in texts.items() if any(secret in text for secret in secrets)] == []

    stack.write(**settings(GLOBEX))
    requests = stack.up().requests
    assert sum(request["method"] == "DELETE" and PATH in request["path"] for request in requests) == len(
        EXAMPLE
    )
    assert not [name for name in stack.outputs() if "oauth" in name]


def test_a_stack_with_secret_outputs_needs_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second `up` finds the same secrets. After that, no engine is needed until a change."""
    with Emulator() as qlik:
        fleet = Fleet(tmp_path, qlik)
        fleet.write("globex", with_changes(GLOBEX, ("oauth_clients", EXAMPLE)))
        monkeypatch.setenv("TENANTRY_STATE", fleet.env["TENANTRY_STATE"])
        for _ in range(2):
            fleet.run("up", "--all", "--yes", "--skip-preview")

        def verdict() -> Verdict:
            file = fleet.file("globex")
            return compare(fleet.project, "globex", file, {**os.environ, **fleet.env}, preview=True)

        assert verdict().same, verdict().reason
        rotated = EXAMPLE | {"Portal": EXAMPLE["Portal"] | {"secret_version": 2}}
        fleet.write("globex", with_changes(GLOBEX, ("oauth_clients", rotated)))
        assert not verdict().same
