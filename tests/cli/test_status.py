"""Tests of `tenantry status` and `outputs` with a folder as the backend."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet import history
from tenantry.fleet.journal import Journal
from tenantry.fleet.outcome import Change, Operation, Outcome, Report, Status, Trouble
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.backend_files import add_stack
from tests.cli.conftest import Folder

PLAN = """
lifecycle: {kind: production}
spaces: {Staging: {type: shared}, Sales: {type: managed}}
apps:
  Sales Overview: {template: Sales Overview, version: 2.3.0, staging: Staging, publish_to: [Sales]}
  Inventory: {template: Inventory, version: 1.4.1, staging: Staging, publish_to: [Sales]}
"""
STACK = """
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer: {name: Globex Corporation, plan: standard, ring: early, tags: {country: de}}
"""
HOST = "j0op94zw4bk7f4i.eu.qlikcloud.com"
OUTPUTS = {
    "hostname": HOST,
    "url": f"https://{HOST}",
    "tenant_id": "T1",
    "spaces": {"Sales": "S1"},
    "apps": {"Inventory": {"Sales": {"id": "A1", "url": f"https://{HOST}/sense/app/A1"}}},
    "token": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"},
}


def resource(kind: str, name: str, **fields: object) -> dict[str, object]:
    """Return a resource of the state."""
    urn = f"urn:pulumi:globex::tenantry::{tokens.of(kind)}::{name}"
    return {"urn": urn, "type": tokens.of(kind), "custom": True, "inputs": {}, **fields}


@pytest.fixture
def project(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return a project with two customers. One of them has a tenant."""
    folder.write("stacks/plans/standard.yaml", PLAN)
    for stack in ("globex", "hooli"):
        folder.write(f"stacks/Pulumi.{stack}.yaml", STACK)
    state = tmp_path / "state"
    add_stack(state, "tenantry", "globex")
    add_stack(state, "tenantry", "stray")
    resources = [
        {"urn": "urn:s", "type": "pulumi:pulumi:Stack", "outputs": OUTPUTS},
        resource("Tenant", "tenant", id=HOST, inputs={"alias": "globex.eu.qlikcloud.com"}),
        resource(
            "JwtIdentityProvider",
            "portal",
            id="P1",
            inputs={"issuer": "https://portal.example", "kid": "k1"},
        ),
        resource("App", "Sales Overview", inputs={"version": "2.3.0"}),
        resource("App", "Inventory", inputs={"version": "1.4.1"}),
    ]
    latest = {"manifest": {"time": "2026-11-27T19:52:13Z"}, "resources": resources}
    file = state / ".pulumi/stacks/tenantry/globex.json"
    checkpoint = {"stack": "organization/tenantry/globex", "latest": latest}
    file.write_text(json.dumps({"version": 3, "checkpoint": checkpoint}))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{state}")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    return folder


@pytest.mark.parametrize(
    ("width", "columns", "left_out"),
    [
        (80, "stack customer plan ring versions result", "last run, ends, tenant"),
        (120, "stack customer plan ring versions result last run ends", "tenant"),
        (200, "stack customer plan ring versions result last run ends tenant", ""),
    ],
)
def test_a_narrow_terminal_keeps_the_important_columns(
    project: Folder, monkeypatch: pytest.MonkeyPatch, width: int, columns: str, left_out: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("tenantry.cli.output.is_terminal", lambda _: True)
    result = project.run("status", "--all")
    assert result.stdout.splitlines()[0].split() == columns.split()
    assert max(map(len, result.stdout.splitlines())) <= width
    words = result.stdout.replace(",", "").split()
    for word in ("Globex", "Corporation", "standard", "early", "2.3.0", "1.4.1"):
        assert word in words
    assert (f"Columns that do not fit on this terminal: {left_out}." in result.stderr) is bool(left_out)


def test_a_pipe_gets_every_column_and_secrets_are_hidden(project: Folder) -> None:
    result = project.run("status", "--all")
    row = next(line for line in result.stdout.splitlines() if line.startswith("globex"))
    assert row.endswith(HOST)
    assert "stray" in result.stdout
    assert result.stderr == ""
    printed = json.loads(project.run("outputs", "--all").stdout)
    common = {
        "customer": "Globex Corporation",
        "plan": "standard",
        "ring": "early",
        "tags": {"country": "de"},
    }
    providers = {"portal": {"id": "P1", "issuer": "https://portal.example", "kid": "k1"}}
    assert printed == {
        "globex": common
        | {"alias": "globex.eu.qlikcloud.com", "jwt_identity_providers": providers}
        | OUTPUTS
        | {"token": "[secret]"},
        "hooli": common | {"alias": None, "jwt_identity_providers": {}},
    }


def test_each_id_has_a_row_with_app_and_space_in_columns(project: Folder) -> None:
    text = project.run("outputs", "--all", "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {(row["stack"], row["plan"], row["ring"], row["tags"], row["alias"]) for row in rows} == {
        ("globex", "standard", "early", "country=de", "globex.eu.qlikcloud.com")
    }
    app = next(row for row in rows if row["kind"] == "app")
    assert (app["key"], app["space"], app["id"]) == ("Inventory", "Sales", "A1")
    provider = next(row for row in rows if row["kind"] == "jwt_identity_provider")
    assert (provider["key"], provider["issuer"], provider["kid"]) == (
        "portal",
        "https://portal.example",
        "k1",
    )


def test_no_command_prints_a_secret(project: Folder) -> None:
    for command in (("status", "--json"), ("outputs", "--csv"), ("outputs", "--json")):
        assert "v1:x" not in project.run(command[0], "--all", command[1]).output


def test_html_shows_the_whole_fleet(project: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has the drift and the failures of past runs, and links to existing logs."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "runs" / "intents"))
    trouble = Trouble("no <b>", "Space Sales", code="FORBIDDEN")
    drift = (Change("update", "Group", "Analysts"),)
    run = Journal.begin("tenantry", "up")
    logs = run.folder_of("hooli")
    logs.mkdir(parents=True)
    (logs / "errors.txt").write_text("error: no\n")
    (logs / "output.txt").touch()
    run.end(Report("up", (Outcome("hooli", "up", "failed", troubles=(trouble,), logs=str(logs)),), seconds=3))
    run = Journal.begin("tenantry", "refresh")
    run.end(Report("refresh", (Outcome("globex", "refresh", "ok", drift=drift),), looked=True))
    result = project.run("status", "--all", "--html", "fleet.html")
    assert (result.stdout, result.stderr) == ("", "fleet.html: 2 stacks\n")
    page = (project.path / "fleet.html").read_text("utf-8")
    for text in ("2 stacks of tenantry", HOST, "2.3.0", "country=de", "stray", "refresh-", "1 resource"):
        assert text in page
    assert "Space Sales: no &lt;b&gt; [FORBIDDEN]" in page
    (link,) = re.findall(r'href="([^"]*)"', page)
    assert (project.path / unquote(link)).resolve() == (logs / "errors.txt").resolve(), (
        "an empty log gets no link"
    )


def test_a_failure_ends_with_the_next_success_of_the_operation(
    project: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "runs" / "intents"))
    runs: tuple[tuple[Operation, Status], ...] = (("up", "failed"), ("refresh", "failed"), ("up", "ok"))
    for operation, status in runs:
        run = Journal.begin("tenantry", operation)
        run.end(Report(operation, (Outcome("globex", operation, status),)))
    found = history.read("tenantry", ["globex", "hooli"])
    assert {stack: failure.run.operation for stack, failure in found.failures.items()} == {
        "globex": "refresh"
    }
    assert found.drift == {}, "no run looked for drift"
    assert len(found.runs) == 3


@pytest.mark.parametrize("file", ["none/fleet.html", "stacks"])
def test_an_unwritable_page_is_an_error_of_one_line(project: Folder, file: str) -> None:
    result = project.run("status", "--all", "--html", file)
    assert result.exit_code in (1, 2)
    assert result.stderr.startswith(f"--html {file}: ")
    assert result.stderr.count("\n") == 1


def test_licences_are_read_only_with_the_option(
    project: Folder, qlik: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A licence that cannot be read is listed with the reason. Missing values are unknown."""
    monkeypatch.setenv("QLIK_CLOUD_ENDPOINT", qlik.url)
    monkeypatch.setenv("QLIK_CLIENT_ID", "demo")
    monkeypatch.setenv("QLIK_CLIENT_SECRET", "demo-secret")
    monkeypatch.delenv("QLIK_ORG_CLIENT_ID", raising=False)
    project.write("stacks/Pulumi.umbrella.yaml", STACK.replace("templates.", "none."))
    result = project.run("status", "--all", "--json", "--licences")
    assert "emulator-licence-key" not in result.output
    unreadable, licence = json.loads(result.stdout)["licences"]
    assert unreadable["source_tenant"] == "none.eu.qlikcloud.com"
    assert unreadable["trouble"]
    assert (unreadable["number"], unreadable["allotments"], unreadable["stacks"]) == (None, [], 1)
    assert (licence["number"], licence["stacks"], licence["tenants"]) == ("1000000000000001", 2, 1)
    assert licence["tenants_in_region"] is None
    professional = licence["allotments"][0]
    assert professional["name"] == "professional"
    assert professional["units"] >= professional["used"] >= 0
    project.run("status", "--all", "--html", "fleet.html", "--licences")
    page = (project.path / "fleet.html").read_text("utf-8")
    for text in (
        "1000000000000001",
        "eu: tenants unknown",
        'class="long failed">unknown: ',
        "2, 1 with a tenant",
    ):
        assert text in page
    assert "emulator-licence-key" not in page
    monkeypatch.setenv("QLIK_ORG_CLIENT_ID", "demo-org")
    monkeypatch.setenv("QLIK_ORG_CLIENT_SECRET", "demo-org-secret")
    table = project.run("status", "--all", "--licences").stdout
    assert re.search(r"1000000000000001 .* eu: \d+ of 8,500 tenants$", table, re.MULTILINE)
    assert "licences" not in json.loads(project.run("status", "--all", "--json").stdout)
