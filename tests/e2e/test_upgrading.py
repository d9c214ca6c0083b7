"""The commands of the page on upgrading work exactly as written."""

from __future__ import annotations

from pathlib import Path

from tenantry.emulator import Emulator
from tests.documents import script
from tests.e2e.fleet import Fleet
from tests.e2e.test_documents import run
from tests.e2e.test_formats import REFUSED
from tests.e2e.test_formats import newer as newer
from tests.world import writes

PAGE = "docs/upgrading.md"


def test_the_commands_for_an_upgrade_work(scratch: Path, qlik: Emulator, newer: str) -> None:
    """No customer changes. The former version refuses the newer format until the old states are imported."""
    fleet = Fleet(scratch, qlik)
    fleet.write_plan("standard", {"lifecycle": {"kind": "production"}, "groups": {"Analysts": {}}})
    for name in ("acme", "globex"):
        fleet.write(name, {"name": name.title(), "plan": "standard"})
    fleet.commit()
    fleet.run("up", "--all", "--yes", "--skip-preview")
    output = run(fleet.project, fleet.env, script(PAGE, "Upgrade"))
    assert "Nothing to do: no change in 2 customers." in output

    run(fleet.project, fleet.env, script(PAGE, "Go back"))
    upgraded = fleet.run("up", "--all", "--yes", "--skip-preview", "--json", PYTHONPATH=newer)
    assert {outcome.status for outcome in upgraded.report.outcomes} == {"ok"}
    assert writes(upgraded.requests) == []
    refused = fleet.run("preview", "--all", expect=1)
    assert REFUSED in " ".join(refused.stdout.split())
    assert refused.requests == []

    output = run(fleet.project, fleet.env, script(PAGE, "Go back to an older format"))
    assert "Nothing to do: no change in 2 customers." in output
