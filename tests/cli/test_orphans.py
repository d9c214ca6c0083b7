"""Tests of the output, prompts and exit codes of `tenantry orphans`. The findings are in tests/audit."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

import tenantry.audit.audit
from tenantry.audit.audit import Audit, UnknownRegion
from tenantry.audit.findings import KINDS, MISSING, UNMANAGED, Finding, Unread
from tenantry.audit.leftovers import LeftOver, Search
from tenantry.providers.qlik import Cloud, CredentialsMissing
from tenantry.state.backend import Backend, PulumiFailed
from tests.cli.conftest import Folder

DELETABLE = LeftOver(
    "x1.eu.qlikcloud.com", "a-1", "Sales [0123456789ab]", "[0123456789ab]", "2026-03-01", ("globex",)
)
KEPT = LeftOver(
    "x1.eu.qlikcloud.com", "a-2", "Costs", "[0123456789ab]", "", ("globex",), "a run is in progress"
)
UNMANAGED_TENANT = Finding(
    UNMANAGED, "x1.eu.qlikcloud.com", '"Hooli", active', ("tenantry import x1.eu.qlikcloud.com",)
)
MISSING_TENANT = Finding(
    MISSING, "x2.eu.qlikcloud.com", "held by acme", ("tenantry forget acme",), facts={"stacks": ["acme"]}
)


class FakeAudit:
    """A fake audit: its findings, the options of its last call, and the ids of the deleted apps."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.unread: list[Unread] = []
        self.left_over: list[LeftOver] = []
        self.error: Exception | None = None
        self.options: dict[str, Any] = {}
        self.deleted: list[str] = []
        self.delete: Callable[[LeftOver], str] = lambda _: ""

    def run_audit(self, *_: object, **options: Any) -> Audit:
        self.options = options
        if self.error:
            raise self.error
        findings = [*self.findings, *(app.finding for app in self.left_over)]
        search = Search(Cloud({}), Backend(Path()), lambda _, __: "")
        return Audit(5, 3, findings, self.unread, self.left_over, search)

    def delete_one(self, app: LeftOver) -> str:
        self.deleted.append(app.id)
        return self.delete(app)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeAudit:
    audit = FakeAudit()
    monkeypatch.setattr(tenantry.audit.audit, "run_audit", audit.run_audit)
    monkeypatch.setattr(Search, "delete", lambda _, app: audit.delete_one(app))
    monkeypatch.setenv("QLIK_ORG_CLIENT_ID", "org")
    monkeypatch.setenv("QLIK_ORG_CLIENT_SECRET", "secret")
    monkeypatch.delenv("PULUMI_SKIP_CONFIRMATIONS", raising=False)
    return audit


def test_without_findings_the_exit_code_is_0(folder: Folder, fake: FakeAudit) -> None:
    result = folder.run("orphans")
    assert (result.exit_code, result.stdout) == (0, "5 tenants, 3 stacks: 0 findings\n")


def test_notices_do_not_change_the_exit_code(folder: Folder, fake: FakeAudit) -> None:
    fake.findings = [dataclasses.replace(MISSING_TENANT, notice=True)]
    result = folder.run("orphans")
    assert (result.exit_code, "x2.eu.qlikcloud.com" in result.stdout) == (0, True)


def test_findings_are_grouped_by_kind(folder: Folder, fake: FakeAudit) -> None:
    fake.findings = [MISSING_TENANT, UNMANAGED_TENANT]
    result = folder.run("orphans")
    assert result.exit_code == 7
    assert result.stdout.splitlines() == [
        "Tenants that no stack holds: 1",
        f"  {UNMANAGED.advice}",
        '  - x1.eu.qlikcloud.com: "Hooli", active',
        "      tenantry import x1.eu.qlikcloud.com",
        "Tenants in a state that the organisation does not list: 1",
        f"  {MISSING.advice}",
        "  - x2.eu.qlikcloud.com: held by acme",
        "      tenantry forget acme",
        "5 tenants, 3 stacks: 2 findings",
    ]


def test_hostile_names_do_not_control_the_terminal(folder: Folder, fake: FakeAudit) -> None:
    """Users of a tenant choose these names. They must not add lines or control sequences."""
    fake.findings = [Finding(UNMANAGED, "x1", '"Hooli\x1b[2J\n- x9: all is well"')]
    fake.left_over = [dataclasses.replace(DELETABLE, name="Sales\r\x1b[1A [0123456789ab]")]
    fake.unread = [Unread("the apps of x1", "403\x07\ntraceId t-1")]
    result = folder.run("orphans", "--fix", "--yes")
    assert not set("\x1b\r\x07") & set(result.output)
    assert '  - x1: "Hooli [2J - x9: all is well"' in result.stdout.splitlines()
    assert "Could not read the apps of x1: 403 traceId t-1" in result.stderr.splitlines()


def test_if_something_cannot_be_read_the_exit_code_is_1(folder: Folder, fake: FakeAudit) -> None:
    fake.findings = [Finding(UNMANAGED, "x1", "", certain=False)]
    fake.unread = [Unread("the state of stack globex", "it is incomplete")]
    result = folder.run("orphans")
    assert result.exit_code == 1
    assert "Tenants that no stack holds, as far as readable: 1" in result.stdout
    assert "5 tenants, 3 stacks: 1 finding, 1 unknown" in result.stdout
    assert "Could not read the state of stack globex: it is incomplete" in result.stderr


def test_json_has_all_facts(folder: Folder, fake: FakeAudit) -> None:
    fake.findings, fake.left_over = [MISSING_TENANT], [KEPT]
    fake.unread = [Unread("the licence", "403")]
    report = json.loads(folder.run("orphans", "--json").stdout)
    assert (report["tenants"], report["stacks"], report["deleted"]) == (5, 3, [])
    assert report["unread"] == [{"what": "the licence", "why": "403"}]
    missing, left_over = report["findings"]
    assert missing == {
        "kind": "missing",
        "about": "x2.eu.qlikcloud.com",
        "text": "held by acme",
        "certain": True,
        "notice": False,
        "ways": ["tenantry forget acme"],
        "stacks": ["acme"],
    }
    assert (left_over["app_id"], left_over["kept"]) == ("a-2", "a run is in progress")


def test_a_missing_organisation_client_is_an_error(
    folder: Folder, fake: FakeAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QLIK_ORG_CLIENT_ID", "QLIK_ORG_CLIENT_SECRET", "QLIK_CREDENTIALS_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    result = folder.run("orphans")
    assert (result.exit_code, "QLIK_ORG_CLIENT_ID" in result.stderr, fake.options) == (1, True, {})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CredentialsMissing("no client"), 1),
        (PulumiFailed("pulumi whoami", "no backend", 1), 1),
        (UnknownRegion("no client, no backend"), 2),
    ],
)
def test_an_error_that_ends_the_audit_is_printed_without_findings(
    folder: Folder, fake: FakeAudit, error: Exception, code: int
) -> None:
    fake.error = error
    result = folder.run("orphans")
    assert (result.exit_code, result.stdout) == (code, "")
    assert str(error) in result.stderr


def test_the_region_limits_the_audit(folder: Folder, fake: FakeAudit) -> None:
    folder.run("orphans", "--region", "EU", "--jobs", "3")
    assert (fake.options["region"], fake.options["at_once"]) == ("eu", 3)


def answer_prompts(monkeypatch: pytest.MonkeyPatch, yes: bool) -> list[str]:
    """Answer every prompt like a user at a terminal. Returns the prompts, which are added later."""
    prompts: list[str] = []

    def confirm(prompt: str, **_: Any) -> bool:
        prompts.append(prompt)
        return yes

    monkeypatch.setattr(
        "tenantry.cli.running.sys",
        SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True), stderr=sys.stderr),
    )
    monkeypatch.setattr(typer, "confirm", confirm)
    return prompts


@pytest.mark.parametrize(("yes", "deleted", "code"), [(True, ["a-1"], 7), (False, [], 1)])
def test_fix_lists_the_apps_and_asks_before_it_deletes_them(
    folder: Folder,
    fake: FakeAudit,
    monkeypatch: pytest.MonkeyPatch,
    yes: bool,
    deleted: Sequence[str],
    code: int,
) -> None:
    """The prompt is only about apps that may be deleted. A kept app remains a finding."""
    fake.left_over = [DELETABLE, KEPT]
    prompts = answer_prompts(monkeypatch, yes)
    result = folder.run("orphans", "--fix")
    assert prompts == ["Delete 1 left-over app?"]
    assert "- a-1: app" in result.stderr
    assert "- a-2: app" not in result.stderr
    assert (result.exit_code, fake.deleted) == (code, deleted)


def test_a_deleted_app_is_no_longer_a_finding(folder: Folder, fake: FakeAudit) -> None:
    fake.left_over = [DELETABLE]
    result = folder.run("orphans", "--fix", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["deleted"]) == (0, ["a-1"])


def test_a_changed_app_is_not_deleted(folder: Folder, fake: FakeAudit) -> None:
    fake.left_over, fake.delete = [DELETABLE], lambda _: "it has changed in the meantime"
    result = folder.run("orphans", "--fix", "--yes")
    assert (result.exit_code, "not deleted, it has changed in the meantime" in result.stderr) == (7, True)


def test_a_failed_deletion_is_an_error(folder: Folder, fake: FakeAudit) -> None:
    def refuse(_: LeftOver) -> str:
        raise CredentialsMissing("no client for region eu")

    fake.left_over, fake.delete = [DELETABLE], refuse
    result = folder.run("orphans", "--fix", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["deleted"]) == (1, [])
    assert "no client for region eu" in result.stderr


def test_fix_changes_no_tenant_and_no_state(folder: Folder, fake: FakeAudit) -> None:
    """Without left-over apps, there is no prompt."""
    fake.findings = [Finding(kind, "x1", "") for kind in KINDS]
    result = folder.run("orphans", "--fix")
    assert (result.exit_code, fake.deleted) == (7, [])
    assert "nothing for --fix to delete" in result.stderr


@pytest.mark.parametrize("arguments", [["--fix"], ["--fix", "--json"]])
def test_without_a_terminal_fix_requires_yes(folder: Folder, fake: FakeAudit, arguments: list[str]) -> None:
    fake.left_over = [DELETABLE]
    result = folder.run("orphans", *arguments)
    assert (result.exit_code, "Add --yes" in result.stderr, fake.deleted) == (2, True, [])


def test_yes_alone_deletes_nothing(folder: Folder, fake: FakeAudit) -> None:
    fake.left_over = [DELETABLE]
    assert folder.run("orphans", "--yes").exit_code == 7
    assert fake.deleted == []
