"""A full disk: the run reports it, nothing is lost, and the next run succeeds."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shlex import quote

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Report
from tests.documents import script
from tests.e2e.fleet import TENANTRY, TIMEOUT_SECONDS, Fleet
from tests.e2e.test_documents import run
from tests.world import World

STACKS = ("acme", "globex", "initech")
CUSTOMER = {
    "lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10},
    "groups": {"Analysts": {}},
}

UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
SCRIPT = """\
mkdir -p {disk} && mount -t tmpfs -o size=1m tmpfs {disk}
head -c 2M /dev/zero > {disk}/ballast
df --output=avail {disk} | tail -n 1 > {out}/room
{tenantry} up --all --yes --skip-preview --json > {out}/full.json
echo $? > {out}/full.code
rm {disk}/ballast
{tenantry} up --all --yes --json > {out}/again.json
echo $? > {out}/again.code
"""


def can_mount() -> bool:
    """Tell whether this machine allows a process its own mounts."""
    try:
        return (
            subprocess.run(
                [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except OSError:
        return False


@pytest.mark.skipif(not can_mount(), reason="private mounts are impossible here")
@pytest.mark.parametrize("disk", ["pulumi/state", "notes"])
def test_a_full_disk_is_reported_and_loses_nothing(scratch: Path, qlik: Emulator, disk: str) -> None:
    """The full disk holds either the backend, or the notes and the run's journal."""
    fleet = Fleet(scratch, qlik)
    for name in STACKS:
        fleet.write(name, {"name": name.title(), **CUSTOMER})
    placeholders = {"disk": scratch / disk, "out": scratch, "tenantry": TENANTRY}
    completed = subprocess.run(
        [
            *UNSHARE,
            "bash",
            "-c",
            SCRIPT.format(**{key: quote(str(value)) for key, value in placeholders.items()}),
        ],
        cwd=fleet.project,
        env={**fleet.env, "TENANTRY_STATE": str(scratch / "notes")},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    print(completed.stdout, completed.stderr)
    assert (scratch / "room").read_text().strip() == "0"
    assert [(scratch / f"{name}.code").read_text().strip() for name in ("full", "again")] == ["1", "0"]
    assert "Traceback" not in completed.stderr
    if disk == "notes":
        assert "The run could not start: its journal: No space left on device" in completed.stderr
    else:
        full = Report.from_json((scratch / "full.json").read_bytes())
        troubles = {
            outcome.stack: [trouble.text for trouble in outcome.troubles] for outcome in full.outcomes
        }
        assert troubles == {key: ["the disk is full"] for key in STACKS}
    second_run = Report.from_json((scratch / "again.json").read_bytes())
    assert {outcome.stack: outcome.status for outcome in second_run.outcomes} == dict.fromkeys(STACKS, "ok")
    assert group_ids(qlik).keys() == {name.title() for name in STACKS}


def test_a_truncated_state_is_repaired(scratch: Path, qlik: Emulator) -> None:
    """The commands in docs/backends.md repair a state that a full disk truncated."""
    fleet = Fleet(scratch, qlik)
    for name in ("acme", "globex"):
        fleet.write(name, {"name": name.title(), **CUSTOMER})
    fleet.run("up", "--all", "--yes", "--skip-preview")
    fleet.write("acme", {"name": "Acme", **CUSTOMER, "groups": {"Analysts": {}, "Sellers": {}}})
    fleet.run("up", "acme", "--yes", "--skip-preview")
    fleet.write("initech", {"name": "Initech", **CUSTOMER})
    backend = Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi"
    state = backend / "stacks" / "tenantry" / "acme.json"
    state.write_bytes(state.read_bytes()[:4096])
    state.with_name("initech.json").touch()
    lock = backend / "locks" / "organization" / "tenantry" / "globex" / "1.json.2.tmp"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    failed = fleet.run("up", "--all", "--yes", "--skip-preview", "--json", expect=1)
    incomplete = [
        outcome.stack for outcome in failed.report.outcomes if "is incomplete" in outcome.troubles[0].text
    ]
    assert incomplete == list(STACKS)
    before = group_ids(qlik)
    run(fleet.project, fleet.env, script("docs/backends.md", "After a full disk"))
    second_run = fleet.run("up", "--all", "--yes", "--json")
    assert {outcome.stack: outcome.status for outcome in second_run.report.outcomes} == dict.fromkeys(
        STACKS, "ok"
    )
    fleet.run("preview", "--all", "--refresh", "--expect-no-changes")
    after = group_ids(qlik)
    assert after.pop("Initech")
    assert after == before, "no object may be created again"


def group_ids(qlik: Emulator) -> dict[str, list[str]]:
    """Return the ids of the groups of each created tenant, by the tenant's name."""
    tenants = [tenant for tenant in qlik.control.dump()["cloud"]["tenant"] if tenant.get("_created")]
    assert len({tenant["name"] for tenant in tenants}) == len(tenants), "there must be no duplicates"
    worlds = {tenant["name"]: World(qlik, tenant["hostnames"][0]) for tenant in tenants}
    return {name: sorted(group["id"] for group in world.every("group")) for name, world in worlds.items()}
