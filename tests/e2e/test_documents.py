"""The commands of the guides work exactly as written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tenantry.emulator import Emulator
from tests.documents import ROOT, blocks, script, scripts
from tests.e2e.customers import settings, with_changes
from tests.e2e.fleet import Fleet
from tests.e2e.harness import Stack
from tests.e2e.operators import Operator
from tests.e2e.test_end_users import CUSTOMER, create_keypair
from tests.world import writes

INIT = "tenantry init customers --region eu --source-tenant templates.eu.qlikcloud.com"
ENVIRONMENT = "python3 -m venv .venv && .venv/bin/pip install --quiet ."
COMMIT = "git init --quiet --initial-branch main && git add . && git commit --quiet --message init"
OPERATING, MANY = "docs/operating.md", "docs/many-customers.md"


def run(folder: Path, environment: Mapping[str, str], script: str) -> str:
    """Run a script in a folder, answer yes to prompts, and return its output."""
    env = {**environment} | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    env["PULUMI_SKIP_CONFIRMATIONS"] = "true"
    bash = ["bash", "-euo", "pipefail", "-c", script]
    completed = subprocess.run(
        bash, cwd=folder, env=env, input="y\n", capture_output=True, text=True, timeout=240
    )
    assert completed.returncode == 0, f"{script}\n{completed.stdout}\n{completed.stderr}"
    return completed.stdout


class Repository(Operator):
    """An operator with Tenantry from a wheel, who answers yes to everything."""

    def __init__(self, folder: Path, bin_: Path, qlik: Emulator) -> None:
        super().__init__(folder, bin_, qlik)
        people, fields = ("AUTHOR", "COMMITTER"), ("NAME", "EMAIL")
        self.env |= {f"GIT_{person}_{field}": "somebody@oem.example" for person in people for field in fields}
        self.env |= {"PULUMI_SKIP_CONFIRMATIONS": "true", "HOME": str(folder)}

    def create_repository(self) -> None:
        """Create a repository with an environment and a first commit."""
        self(INIT)
        self(ENVIRONMENT)
        self(COMMIT)


def test_the_quick_start_works(bin_: Path, scratch: Path, qlik: Emulator) -> None:
    """The quick start installs the wheel and runs the demo."""
    page = "docs/quick-start.md"
    [wheel] = (bin_.parent.parent / "archives").glob("*.whl")
    steps = dict.fromkeys(block.heading for block in blocks(page))
    quick_start = script(page, *steps).replace("/path/to/tenantry-0.1.0-py3-none-any.whl", str(wheel))
    output = Repository(scratch, bin_, qlik)(quick_start)
    assert "Acme Corp" in output.rpartition("written: ")[2]


def test_the_guide_to_the_first_tenant_works(bin_: Path, scratch: Path, qlik: Emulator) -> None:
    """The commands create a customer with an app from an empty folder, and take the tenant down."""
    page = "docs/first-tenant.md"
    operator = Repository(scratch, bin_, qlik)
    backend = script(page, "4. Choose where the state lives") + "\n"
    init = script(page, "3. Write your repository") + "\n"
    credentials = script(page, "5. Set the credentials", "6. Give the bot user access to the templates")
    prepared = operator(init + backend + credentials)
    assert "0 errors" in prepared
    assert "Sales Overview  2.4.0" in prepared
    [plan] = [block.text for block in blocks(page, "yaml")]
    with (operator.repository / "stacks" / "plans" / "standard.yaml").open("a") as file:
        file.write(plan)
    created = operator(backend + script(page, "7. Create the customer"))
    assert "tenant_id" in created
    assert "unchanged" in created.rpartition("tenant_id")[2]
    operator(script(page, "8. Commit"))
    destroyed = operator(backend + script(page, "9. Take it down"))
    assert "revive: {hostname: " in destroyed


def test_the_guide_to_your_repository_works(bin_: Path, scratch: Path, qlik: Emulator) -> None:
    """The table on the page names each file of a new repository."""
    page = "docs/your-repository.md"
    operator = Repository(scratch, bin_, qlik)
    operator(script(page, "Your own repository"))
    table = (ROOT / page).read_text("utf-8")
    files = {file.relative_to(operator.repository).parts[0] for file in operator.repository.rglob("*")}
    assert [name for name in files if f"`{name}" not in table] == []
    assert "0 errors" in operator(script(page, "Set it up on a machine"))
    operator(COMMIT)
    operator(script(page, "Add a customer"))
    assert "Sales Overview" in operator(script(page, "List plans and templates"))
    assert "ok       settings      valid" in operator(script(page, "Check before you run"))
    output = operator(script(page, "Preview and apply"))
    assert "Nothing to do: no change in 2 customers." in output
    operator(script(page, "Commit"))
    assert "encryptionsalt" in operator("git show HEAD:stacks/Pulumi.initech.yaml")


def test_the_commands_in_the_readme_of_a_new_repository_work(
    bin_: Path, scratch: Path, qlik: Emulator
) -> None:
    page = "tenantry/starting/files/repository/README.md"
    operator = Repository(scratch, bin_, qlik)
    operator(INIT)
    assert "0 errors" in operator(script(page, "Set up"))
    operator(COMMIT)
    operator(script(page, "A new customer"))
    operator("git commit --quiet --message acme")
    output = operator(script(page, "A change").replace("--waves rings", "--waves rings --yes"))
    assert "acme" in output


def test_the_commands_of_the_readme_work(bin_: Path, scratch: Path, qlik: Emulator) -> None:
    """They create a customer, and then change the plan for all of its customers."""
    operator = Repository(scratch, bin_, qlik)
    setup, use = scripts("README.md", "Use it")
    operator(setup)
    *create, preview, up = use.splitlines()
    assert "ok       settings      valid" in operator("\n".join(create))
    plan = operator.repository / "stacks" / "plans" / "standard.yaml"
    plan.write_text(plan.read_text("utf-8").replace("Viewers: {}", "Viewers: {roles: [AnalyticsAdmin]}"))
    output = operator(f"{preview}\n{up.partition('#')[0]} --yes")
    assert "1 stack: 1 to change" in output
    assert "1 stack: 1 changed" in output


def test_the_example_of_a_custom_program_works(bin_: Path, scratch: Path, qlik: Emulator) -> None:
    """It replaces the program that `tenantry init` writes."""
    operator = Repository(scratch, bin_, qlik)
    operator.create_repository()
    [program] = [block.text for block in blocks("docs/resources.md", "python")]
    (operator.repository / "__main__.py").write_text(program, "utf-8")
    operator("pulumi stack init initech --no-select")
    assert "hostname" in operator("pulumi up --stack initech")
    assert "unchanged" in operator("pulumi up --stack initech --expect-no-changes")
    assert "revive: " in operator("pulumi destroy --stack initech")


def test_the_commands_for_a_customer_work(bin_: Path, scratch: Path, qlik: Emulator) -> None:
    """They create, inspect, repair and destroy a customer."""
    operator = Repository(scratch, bin_, qlik)
    operator.create_repository()
    operator.env |= {"QLIK_ORG_CLIENT_ID": "demo-org", "QLIK_ORG_CLIENT_SECRET": "demo-org-secret"}
    assert '"tenant_id"' in operator(script(OPERATING, "A new customer"))
    assert "Pulumi.initech.yaml" in operator(script(OPERATING, "Before a run"))
    file = operator.repository / "stacks" / "Pulumi.initech.yaml"
    trial = '    plan: standard\n    lifecycle: {kind: trial, ends_on: "2999-12-31"}\n'
    file.write_text(file.read_text("utf-8").replace("    plan: standard\n", trial), "utf-8")
    assert "to update" in operator(script(OPERATING, "A killed run"))
    assert "unchanged" in operator(script("docs/backends.md", "Locks"))
    operator(script(OPERATING, "A stale lock"))
    # The emulator has one orphan: the source tenant of another region.
    orphans = f"set +e\n{script(OPERATING, 'Orphans')}\ntest $? = 7"
    assert "Tenants that no stack holds: 1" in operator(orphans)
    assert "revive: {hostname: " in operator(
        script(OPERATING, "Taking a customer down, and bringing it back")
    )
    assert writes(qlik.control.requests())[-1].endswith("/actions/deactivate")


def test_the_commands_for_an_existing_tenant_work(scratch: Path, qlik: Emulator) -> None:
    """They forget the tenant and import it again under another name."""
    fleet = Fleet(scratch, qlik)
    lifecycle = {"kind": "trial", "ends_on": "2999-12-31"}
    fleet.write_plan(
        "standard", {"lifecycle": lifecycle, "groups": {"Analysts": {"roles": ["AnalyticsAdmin"]}}}
    )
    fleet.write("initech", {"name": "Initech", "alias": "acme", "plan": "standard"})
    fleet.run("up", "initech", "--yes", "--skip-preview")
    before = writes(fleet.requests())
    run(fleet.project, fleet.env, script(OPERATING, "Letting go of a tenant"))
    source = "--source-tenant templates.eu.qlikcloud.com"
    import_command = script(OPERATING, "A tenant that exists already").partition("#")[0]
    run(fleet.project, fleet.env, f"pulumi stack rm initech --yes\n{import_command} {source}")
    assert "Initech" in fleet.file("acme").read_text("utf-8")
    assert writes(fleet.requests()) == before
    fleet.run("preview", "acme", "--expect-no-changes")


def test_the_commands_for_users_of_a_portal_work(stack: Stack, qlik: Emulator) -> None:
    """They create a key pair, register the public key at Qlik, and read the tenant as one of the users."""
    [commands] = scripts(OPERATING, "Users who come from a portal")
    keypair, *other_commands = commands.splitlines()
    assert keypair.split()[:2] == ["tenantry", "keypair"]
    stack.write(
        **settings(
            with_changes(CUSTOMER, ("jwt_identity_providers", create_keypair(stack, keypair.split()[2])))
        )
    )
    output = run(
        stack.folder, stack.env, "\n".join(["pulumi stack init globex --no-select || true", *other_commands])
    )
    assert "Analysts: ok" in output


def test_the_commands_for_another_backend_work(scratch: Path, qlik: Emulator) -> None:
    """They move a stack and remove it from the old backend. Here, a folder replaces the bucket."""
    fleet = Fleet(scratch, qlik)
    fleet.write("initech", {"name": "Initech", "groups": {"Analysts": {}}})
    fleet.run("up", "initech", "--yes", "--skip-preview")
    move, remove = scripts("docs/backends.md", "Moving to another backend")
    new = scratch / "new"
    new.mkdir()
    run(fleet.project, fleet.env, move.replace("s3://oem-pulumi-state?region=eu-central-1", f"file://{new}"))
    run(fleet.project, fleet.env, remove)
    fleet.run("preview", "initech", "--expect-no-changes", PULUMI_BACKEND_URL=f"file://{new}")
    assert fleet.run("status", "initech", "--json").json != []


def test_the_requests_to_the_emulator_work(scratch: Path) -> None:
    """They get a token, read over https, add a fault and move the clock, on another port than the page."""
    token, read = scripts("docs/emulator.md", "Hosts")
    for tls, commands in ((False, (token, *scripts("docs/emulator.md", "Faults"))), (True, (read,))):
        folder = scratch / str(tls)
        with Emulator(data=folder, tls=tls) as emulator:
            port = emulator.url.rpartition(":")[2].strip("/")
            for command in commands:
                local_command = command.replace("8765", port).replace("DIR/", f"{folder}/")
                assert run(scratch, {}, local_command).startswith("{")


def test_the_commands_for_many_customers_work(scratch: Path, qlik: Emulator) -> None:
    """They select, preview, roll out, deactivate and list stacks."""
    fleet = Fleet(scratch, qlik)
    lifecycle = {"kind": "trial", "ends_on": "2999-12-31"}
    trial = {"lifecycle": lifecycle, "groups": {"Analysts": {}}}
    fleet.write_plan("standard", trial)
    for name in ("acme", "globex"):
        fleet.write(name, {"name": name.title(), "plan": "standard", "ring": "pilot"})
    fleet.commit()
    fleet.run("up", "--all", "--yes", "--skip-preview")
    fleet.write_plan("standard", trial | {"groups": {"Analysts": {"roles": ["AnalyticsAdmin"]}}})
    outputs = {}
    for heading in dict.fromkeys(block.heading for block in blocks(MANY)):
        if heading == "Trials":
            ended = {**lifecycle, "ends_on": "2000-01-01"}
            fleet.write("globex", {"name": "Globex", "plan": "standard", "lifecycle": ended})
        outputs[heading] = run(fleet.project, fleet.env, script(MANY, heading))
    assert (fleet.project / "reports" / "report.html").is_file()
    assert "2 stacks: 2 to change" in outputs["What a change does, and to whom"]
    assert "2 stacks: 2 changed" in outputs["A change for everybody, in waves"]
    assert "  globex: until 2" in outputs["Trials"]
    assert outputs["Listing customers and runs"].count("acme,Acme,") == 3
