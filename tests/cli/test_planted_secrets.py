"""Tests that no command prints a secret or writes it into a file, even if a response repeats it."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tenantry.emulator import Emulator
from tests.cli.text_project import COMMANDS, CommandRun, TextProject
from tests.fleet.forge_server import Server, serving

PASSWORD, QUERY, SESSION = "b4ck/end p%40ss:word!", "que+ry~secret/9", "s3ss10n-token-of-aws"
BACKEND = (
    f"postgres://user:{quote(PASSWORD, safe='')}@db.example/state?sslpassword={quote(QUERY, safe='')}&ssl=1"
)
PLANTED = {
    "QLIK_CLIENT_SECRET": "cl1ent/secret+of=qlik",
    "PULUMI_CONFIG_PASSPHRASE": "pass phrase/of+pulumi",
    "PULUMI_ACCESS_TOKEN": "pul-0123456789abcdef0123456789abcdef01234567",
    "GITHUB_TOKEN": "ghs_0123456789abcdefABCDEF",
    "AWS_SECRET_ACCESS_KEY": "awsSecret/Access+Key0123456789",
    "AWS_SESSION_TOKEN": SESSION,
}
NAMES = ("plain", "Søren & Co.", "a/b")


def forms(secret: str) -> set[str]:
    """Return the forms in which a secret can appear: plain, in a URL, and in Base64 at any offset."""
    raw = secret.encode()
    encoded = {base64.b64encode(b"x" * n + raw)[2 * bool(n) + n : -4].decode().rstrip("=") for n in range(3)}
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *encoded}


class PlantedSecrets:
    """A project with secrets in its environment, and the search for these secrets."""

    def __init__(self, project: TextProject) -> None:
        self.project = project
        pem = (project.folder / "key.pem").read_text()
        self.secrets = {**PLANTED, "password": PASSWORD, "query": QUERY, "key": pem.splitlines()[5]}
        self.files_before = {file: file.read_bytes() for file in self._files()}

    def in_output(self, result: CommandRun) -> list[str]:
        """Return the names of the secrets in the output of a command, each with that command."""
        return [f"{result}: {name}" for name in self._found(f"{result.stdout}\n{result.stderr}".encode())]

    def in_new_files(self) -> list[str]:
        """Return the names of the secrets in new and changed files, each with its file."""
        return [f"{file}: {name}" for file, text in self.new_files().items() for name in self._found(text)]

    def new_files(self) -> dict[Path, bytes]:
        """Return the content of new and changed files."""
        return {
            file: text for file in self._files() if (text := file.read_bytes()) != self.files_before.get(file)
        }

    def _found(self, text: bytes) -> Iterator[str]:
        for name, secret in self.secrets.items():
            if any(form.encode() in text for form in forms(secret)):
                yield name

    def _files(self) -> list[Path]:
        """Return all files except those of the fake `pulumi`."""
        folder = self.project.folder.parent
        files = [file for file in folder.rglob("*") if file.is_file()]
        return [file for file in files if not file.is_relative_to(self.project.pulumi)]


@pytest.fixture
def forge() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def planted(tmp_path: Path, qlik: Emulator, forge: Server, monkeypatch: pytest.MonkeyPatch) -> PlantedSecrets:
    """Return a project with the planted secrets in its environment and its backend address."""
    project = TextProject(tmp_path, qlik, NAMES, monkeypatch)
    project.use_forge(forge, monkeypatch)
    project.write_key(tmp_path)
    for command in ("init -q", "add -A", "commit -qm one --allow-empty", "commit -qm two --allow-empty"):
        user = ("-c", "user.name=x", "-c", "user.email=x@x.example")
        subprocess.run(["git", *user, *command.split()], cwd=project.folder, check=True)
    for name, value in PLANTED.items():
        if not name.startswith("QLIK_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("PULUMI_BACKEND_URL", BACKEND)
    return PlantedSecrets(project)


@pytest.mark.parametrize("failing", [False, True], ids=["succeeding", "failing"])
@pytest.mark.parametrize("command", [name for name, invocations in COMMANDS.items() if invocations])
def test_no_command_shows_or_stores_a_planted_secret(
    planted: PlantedSecrets, forge: Server, monkeypatch: pytest.MonkeyPatch, command: str, failing: bool
) -> None:
    project = planted.project
    output = (
        f'error: could not open {BACKEND}: parse "{BACKEND}": invalid, at {BACKEND.encode()!r}\n{BACKEND}'
    )
    project.set_error_output(output)  # for commands that work on a stack
    if failing:
        project.fail(output)
        # The token endpoint and the forge repeat the secret of the request.
        secret = PLANTED["QLIK_CLIENT_SECRET"]
        for name in ("QLIK_CLIENT_SECRET", "QLIK_ORG_CLIENT_SECRET"):
            monkeypatch.setenv(name, secret)
        repeated = f"{secret} {quote(secret, safe='')} {quote_plus(secret)}"
        problem = {"code": repeated, "title": repeated, "detail": repeated, "source": {"pointer": repeated}}
        body = {"errors": [problem], "traceId": repeated}
        project.qlik.control.add_fault(status=401, body=body, path="/oauth/token")
        forge.failures = [(418, {"message": f"bad token {PLANTED['GITHUB_TOKEN']}"})] * 9
    results = list(project.run([command]))
    assert [f"{result}: {result.error!r}" for result in results if result.error] == []
    assert [found for result in results for found in planted.in_output(result)] == []
    assert planted.in_new_files() == []
    if command in ("preview", "up", "refresh", "destroy", "expire"):
        assert {file.name for file in planted.new_files()} >= {
            "errors.txt",
            "events.json",
            "outcomes.jsonl",
        } or (command == "expire" and failing)


def test_planted_secrets_are_detected(planted: PlantedSecrets) -> None:
    for name, secret in planted.secrets.items():
        for number, form in enumerate(forms(secret)):
            output = CommandRun((), 0, f"before {form} after", "", None)
            assert planted.in_output(output) == [f"{output}: {name}"]
            file = planted.project.folder / f"{name}-{number}"
            file.write_text(base64.b64encode(f"a{secret}bcd".encode()).decode() if number == 0 else form)
            assert planted.in_new_files() == [f"{file}: {name}"]
            file.unlink()


def test_every_secret_is_long_enough_to_be_recognised(planted: PlantedSecrets) -> None:
    assert [name for name, secret in planted.secrets.items() if len(secret) < 12] == []
    assert not re.search("|".join(map(re.escape, planted.secrets.values())), " ".join(NAMES))
