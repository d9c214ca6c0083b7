"""A project full of chosen texts, in which a test runs every command with success and with failures.

`pulumi` is a shell script that prints files, so a test decides what the backend and the engine return. The
emulator replaces Qlik. COMMANDS lists the invocations of each command. A test fails if a command is missing.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tenantry.audit.holdings import APP
from tenantry.cli.app import app
from tenantry.emulator import Emulator
from tenantry.fleet.forges import api
from tenantry.fleet.warm import hosts as warm_hosts
from tenantry.fleet.warm import providers as warm_providers
from tenantry.providers.values import tokens
from tenantry.state.entries import TENANT
from tests import logins
from tests.emulator.api import SOURCE, Api
from tests.fleet import pages
from tests.fleet.forge_server import Server

SCRIPT = """\
#!/bin/sh
# Prints the files of this folder. If the file "failing" exists, it prints "errors" and fails.
here={folder}
log=
previous=
for argument in "$@"; do
    if [ "$previous" = --event-log ]; then log=$argument; fi
    previous=$argument
done
if [ -n "$log" ]; then cp "$here/events.json" "$log"; fi
if [ -e "$here/failing" ]; then cat "$here/errors" >&2; exit 255; fi
case "$1 $2" in
    "version "*) echo v3.300.0 ;;
    "whoami "*) cat "$here/whoami.json" ;;
    "stack rename") cat "$here/locks" >&2; exit 255 ;;
    "stack export" | "stack output" | "stack history" | "stack ls") cat "$here/$2.json" ;;
    "preview "* | "up "* | "refresh "* | "destroy "*) cat "$here/errors" >&2; exit 255 ;;
esac
"""

COMMANDS: dict[str, Sequence[Sequence[str]]] = {
    "demo": [],
    "init": [["repository", "--region", "TEXT", "--source-tenant", "TEXT"], ["TEXT", "--region", "eu"]],
    "install-pulumi": [[]],
    "doctor": [[], ["--json"], ["--offline"]],
    "new": [["TEXT"], ["fresh", "--name", "TEXT", "--plan", "TEXT"]],
    "plans": [[], ["--json"]],
    "templates": [[], ["--json"], ["--source-tenant", "TEXT"]],
    "schema": [["--write"]],
    "settings": [["STACK"], ["STACK", "--json"], ["TEXT"]],
    "check": [["--all"], ["--all", "--json"], ["--all", "--quiet"], ["TEXT"]],
    "diff": [["--all", "--since", "HEAD~1", *form] for form in ([], ["--json"], ["--markdown"], ["--html"])]
    + [["--all", "--since", "TEXT"], ["TEXT", "--since", "HEAD"]],
    "select": [
        ["--all"],
        ["--all", "--json"],
        ["--plan", "TEXT"],
        ["--tag", "TEXT"],
        ["--all", "--shard", "TEXT"],
        ["--all", "--shard", "1/2", "--times", "TEXT"],
        ["--all", "--times", "TEXT"],
    ],
    "preview": [["--all"], ["--all", "--markdown"], ["TEXT"], ["--all", "--notify", "TEXT"]],
    "up": [["STACK", "--yes", "--reports", "reports"], ["--all"], ["STACK", "--waves", "TEXT", "--yes"]],
    "refresh": [["STACK", "--yes", "--json"], ["STACK"]],
    "destroy": [["STACK", "--yes", "--html"], ["STACK"]],
    "status": [
        ["--all"],
        ["--all", "--json"],
        ["--ring", "TEXT"],
        ["--all", "--html", "status.html", "--licences"],
    ],
    "outputs": [["--all"], ["--all", "--csv"], ["--all", "--json"]],
    "export-content": [["--all"], ["STACK", "--to", "TEXT", "--join-spaces"], ["TEXT"]],
    "expire": [
        ["--dry-run"],
        ["--dry-run", "--markdown"],
        ["--dry-run", "--json", "--reports", "trials"],
        ["--yes", "--export", "exports"],
        ["--yes"],
    ],
    "runs": [[], ["--json"]],
    "report": [["report.json", *form] for form in ([], ["--json"], ["--markdown"], ["--html"])]
    + [["TEXT"], ["broken.json"], ["report.json", "--link", "TEXT", "--reports", "merged"]],
    "comment": [["report.md", "--pull-request", "1"], ["TEXT", "--pull-request", "1"]],
    "issue": [["--title", "TEXT", "report.md"], ["--title", "TEXT", "--close"]],
    "operator-manifests": [
        [
            "--all",
            "--commit",
            "HEAD",
            "--repository",
            "https://git.example/x",
            "--backend",
            "s3://x",
            *options,
        ]
        for options in (
            [],
            ["--output", "k8s"],
            ["--env", "TEXT"],
            ["--overlay", "TEXT"],
            ["--branch", "TEXT"],
        )
    ]
    + [["--all", "--branch", "TEXT", "--repository", "TEXT", "--organization", "TEXT"]],
    "import": [
        ["TEXT"],
        ["HOST", "--stack", "TEXT"],
        ["HOST", "--stack", "taken", "--source-tenant", SOURCE],
    ],
    "rename": [["STACK", "TEXT"], ["TEXT", "new"], ["STACK", "new"]],
    "forget": [["STACK", "--yes"], ["STACK", "--yes", "--protected"], ["TEXT", "--yes"]],
    "orphans": [[], ["--json"], ["--region", "TEXT"], ["--fix", "--yes"]],
    "unlock": [["STACK", "--yes"], ["STACK", "--yes", "--older-than", "0"], ["TEXT", "--yes"]],
    "keypair": [["TEXT", "--issuer", "TEXT"], ["TEXT"]],
    "smoke": [["STACK", "--key", "key.pem", "--group", "TEXT"], ["STACK", "--key", "TEXT", "--group", "x"]],
    "emulator": [["--port", "-1"]],
    "version": [[]],
}
"""The invocations of each command, with placeholders.

TEXT is replaced with each of ARGUMENTS, STACK with a stack that has the texts, and HOST with its tenant.
`demo` is not run. It has its own project, emulator and environment, and reads nothing from this folder.
"""


NOT_IN_SPACE_NAMES = r'["*?<>/|\\:]'
"""Matches the characters that the name of a space cannot contain."""

ARGUMENTS = ("::error::x\x1b[2J\u202e", "one\nINJECTED \x9b31m two", "\r##[error]\x07")
"""The hostile texts that replace TEXT. The invocation runs once with each."""


@dataclass(frozen=True)
class CommandRun:
    """The arguments and the result of one run of a command."""

    words: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    error: BaseException | None

    def __str__(self) -> str:
        return f"$ tenantry {' '.join(map(repr, self.words))}   (exit code {self.code})"


class TextProject:
    """A project with chosen texts as names, keys and descriptions, and in every response."""

    def __init__(self, folder: Path, qlik: Emulator, texts: Sequence[str], patch: pytest.MonkeyPatch) -> None:
        self.folder, self.qlik, self.texts = (
            folder / "project",
            qlik,
            [text.replace("\0", "\1") for text in texts],
        )
        self.pulumi = folder / "pulumi"
        self.pulumi.mkdir()
        (self.folder / "stacks" / "plans").mkdir(parents=True)
        patch.chdir(self.folder)
        self._write_project()
        self._write_pulumi()
        self._fill_qlik()
        original_which = shutil.which
        command = str(self.pulumi / "pulumi")
        patch.setattr(
            "shutil.which",
            lambda name, *args, **options: (
                command if name == "pulumi" else original_which(name, *args, **options)
            ),
        )
        patch.setattr(warm_providers, "provider", lambda _: nullcontext({}))
        patch.setattr(warm_hosts, "host", lambda *_: nullcontext({}))
        patch.setattr(api, "RETRY_PAUSES_SECONDS", (0.0, 0.0))
        self.environment = {
            "QLIK_CLOUD_ENDPOINT": qlik.url,
            "QLIK_CLIENT_ID": "demo",
            "QLIK_CLIENT_SECRET": "demo-secret",
            "QLIK_ORG_CLIENT_ID": "demo-org",
            "QLIK_ORG_CLIENT_SECRET": "demo-org-secret",
            "TENANTRY_STATE": str(folder / "notes"),
            "TENANTRY_CACHE": str(folder / "cache"),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "x",
        }
        for name, value in self.environment.items():
            patch.setenv(name, value)
        patch.delenv("PULUMI_SKIP_CONFIRMATIONS", raising=False)

    def write_json(self, name: str, value: Any) -> None:
        """Write a file that `pulumi` prints."""
        (self.pulumi / name).write_text(json.dumps(value), "utf-8")

    def set_error_output(self, text: str) -> None:
        """Set the error output of `pulumi`, and add the text to the event log as an error."""
        (self.pulumi / "errors").write_text(text, "utf-8", errors="replace")
        with (self.pulumi / "events.json").open("a") as file:
            event = {"diagnosticEvent": {"severity": "error", "message": text}}
            file.write(f"{json.dumps(event)}\n")

    def fail(self, text: str) -> None:
        """Make every `pulumi` command fail with this output."""
        self.set_error_output(text)
        (self.pulumi / "failing").touch()

    def run(self, commands: Sequence[str] = tuple(COMMANDS)) -> Iterator[CommandRun]:
        """Run these commands as COMMANDS lists them. An invocation with TEXT runs once per text."""
        for command in commands:
            for invocation in COMMANDS[command]:
                texts = ARGUMENTS if "TEXT" in invocation else [""]
                for text in texts:
                    yield self._run(command, *(self._word(word, text) for word in invocation))

    def _run(self, *words: str) -> CommandRun:
        result = CliRunner().invoke(app, list(words))
        error = result.exception if not isinstance(result.exception, SystemExit) else None
        return CommandRun(words, result.exit_code, result.stdout, result.stderr, error)

    def _word(self, word: str, text: str) -> str:
        return {"TEXT": text, "STACK": "globex", "HOST": self.host}.get(word, word)

    def _write_project(self) -> None:
        config = {"qlik:source_tenant": SOURCE, "qlik:region": "eu"}
        project = {"name": "tenantry", "runtime": "python", "stackConfigDir": "stacks", "config": config}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        names = {f"n{n}": text for n, text in enumerate(self.texts)}
        customer: dict[str, Any] = {
            "name": self.texts[0],
            "groups": {
                text: {"provider_type": "custom", "name": f"{text}{key}", "description": text}
                for key, text in names.items()
            },
            "spaces": {
                f"{re.sub(NOT_IN_SPACE_NAMES, '', text)}{key}": {"type": "shared", "description": text}
                for key, text in names.items()
            },
            "tags": {text: text for text in self.texts},
        }
        self._write_stack("globex", customer)
        ended_trial = {"kind": "trial", "ends_on": "2020-01-01"}
        self._write_stack("trial", {**customer, "lifecycle": ended_trial})
        for number, text in enumerate(self.texts):
            plan = self._file_name(text)
            self._write_stack(
                f"c{number}", {"name": text, "plan": text, text: text, "groups": {text: {text: text}}}
            )
            self._write_stack(
                f"{plan}x", {"name": text, "lifecycle": ended_trial, "spaces": {text: {"type": text}}}
            )
            (self.folder / "stacks" / "plans" / f"{plan}.yaml").write_text(yaml.safe_dump({"extends": text}))
        for name in ("report.json", "report.md"):
            report = pages.report_with_text("\n".join(self.texts))
            (self.folder / name).write_text(report.to_json(), "utf-8", errors="surrogatepass")
        (self.folder / "broken.json").write_text(json.dumps({text: text for text in self.texts}))

    @staticmethod
    def _file_name(text: str) -> str:
        return text.replace("/", "_").encode("utf-8", "replace").decode()[:80]

    def _write_stack(self, stack: str, customer: dict[str, Any]) -> None:
        text = yaml.safe_dump({"config": {"tenantry:customer": customer}}, sort_keys=False)
        (self.folder / "stacks" / f"Pulumi.{stack}.yaml").write_text(text)

    def _write_pulumi(self) -> None:
        script = self.pulumi / "pulumi"
        script.write_text(SCRIPT.format(folder=self.pulumi))
        script.chmod(0o755)
        self.host = "globex.eu.qlikcloud.com"
        urn = "urn:pulumi:globex::tenantry"
        resources: list[dict[str, Any]] = [
            {"urn": f"{urn}::{TENANT}::tenant", "type": TENANT, "id": self.host, "custom": True, "inputs": {}}
        ]
        lifecycle = tokens.of("TenantLifecycle")
        resources[0]["outputs"] = {"tenant_id": self.texts[0], "name": self.texts[0]}
        resources.append(
            {"urn": f"{urn}::{lifecycle}::l", "type": lifecycle, "id": "l", "inputs": {"kind": "trial"}}
        )
        for text in self.texts:
            inputs = {"version": text, "template": text, "name": text}
            app_resource = {
                "urn": f"{urn}::{APP}::{text}",
                "type": APP,
                "id": text,
                "custom": True,
                "inputs": inputs,
            }
            resources.append({**app_resource, "outputs": inputs, "protect": True})
        self.write_json("export.json", {"version": 3, "deployment": {"resources": resources}})
        self.write_json(
            "history.json", [{"kind": self.texts[0], "result": " ".join(self.texts), "endTime": "x"}]
        )
        self.write_json("ls.json", [{"name": text} for text in self.texts])
        self.write_json("whoami.json", {"url": "s3://state", "user": self.texts[0]})
        outputs: dict[str, Any] = {"hostname": self.host, "tenant_id": "t", "url": self.texts[0]}
        outputs |= {
            "groups": {text: text for text in self.texts},
            "spaces": {text: text for text in self.texts},
        }
        outputs["apps"] = {text: {text: {"id": text, "url": text}} for text in self.texts}
        self.write_json("output.json", outputs)
        lock = "1.json: created by {0}@{0} (pid 4) at 2026-01-01T00:00:00Z"
        locks = "\n".join(lock.format("".join(text.split())) for text in self.texts)
        locked = f"error: the stack is currently locked by {len(self.texts)} lock(s).\n{locks}"
        (self.pulumi / "locks").write_text(locked, "utf-8", errors="replace")
        self._write_events(urn)
        (self.pulumi / "errors").write_text("error: " + "\n".join(self.texts), "utf-8", errors="replace")

    def _write_events(self, urn: str) -> None:
        events: list[dict[str, Any]] = []
        for text in self.texts:
            space = f"{urn}::{tokens.of('Space')}::{text}"
            old, new = {"inputs": {"name": text}}, {"inputs": {"name": f"{text}2"}}
            step = {"op": "update", "urn": space, "diffs": ["name"], "old": old, "new": new}
            events.append({"resourcePreEvent": {"metadata": step}})
            events.append({"resOutputsEvent": {"metadata": step}})
            events += [
                {"diagnosticEvent": {"severity": severity, "message": text, "urn": space}}
                for severity in ("info", "warning", "error")
            ]
        lines = "".join(f"{json.dumps(event)}\n" for event in events)
        (self.pulumi / "events.json").write_text(lines)

    def _fill_qlik(self) -> None:
        """Import an app with each text as its name into the source tenant."""
        source = Api(self.qlik, SOURCE).login()
        for text in self.texts:
            source.post("/api/v1/apps/import", data=b"x", params={"name": text}, expect=200)

    def use_forge(self, server: Server, patch: pytest.MonkeyPatch, token: str = "token") -> None:
        """Set the environment variables of this forge."""
        patch.setenv("GITHUB_REPOSITORY", "acme/customers")
        patch.setenv("GITHUB_API_URL", server.url)
        patch.setenv("GITHUB_TOKEN", token)

    def write_key(self, folder: Path) -> None:
        """Write a private key for `smoke` into the project. `folder` is for the original."""
        shutil.copy(logins.private_file(folder), self.folder / "key.pem")
