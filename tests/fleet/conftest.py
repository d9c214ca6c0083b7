"""The folder of a project with stack files and plans. A test can make it a git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenantry.fleet.members import Member, members
from tenantry.fleet.selection import Criteria, Selection, select
from tenantry.settings.project import Project

PLAN: dict[str, Any] = {
    "lifecycle": {"kind": "production", "grace_days": 30},
    "groups": {"Analysts": {"roles": ["AnalyticsAdmin"]}},
    "spaces": {"Staging": {"type": "shared"}, "Sales": {"type": "managed"}},
    "apps": {
        "Sales": {"template": "Sales", "version": "1.0.0", "staging": "Staging", "publish_to": ["Sales"]}
    },
}


class Repository:
    """The folder of a project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "stacks" / "plans").mkdir(parents=True)
        (root / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\nstackConfigDir: stacks\n")

    @property
    def project(self) -> Project:
        """The settings of the project, read again for each use."""
        project = Project.at(self.root)
        assert project
        return project

    def customer(self, stack: str, **customer: Any) -> Path:
        """Write a stack file. The customer's name defaults to the stack."""
        block = {
            "qlik:region": "eu",
            "qlik:source_tenant": "templates.eu.qlikcloud.com",
            "tenantry:customer": {"name": stack.title(), **customer},
        }
        return self.write(f"stacks/Pulumi.{stack}.yaml", yaml.safe_dump({"config": block}, sort_keys=False))

    def plan(self, name: str = "standard", plan: Any = None) -> Path:
        """Write a plan. `plan` defaults to `PLAN`."""
        return self.write(f"stacks/plans/{name}.yaml", yaml.safe_dump(PLAN if plan is None else plan))

    def write(self, name: str, text: str = "changed\n") -> Path:
        """Write any file of the project."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def git(self, *args: str) -> str:
        """Run git in this folder."""
        user = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
        process = subprocess.run(
            ["git", *user, *args], cwd=self.root, capture_output=True, text=True, check=True
        )
        return process.stdout.strip()

    def commit(self) -> str:
        """Commit everything and return the commit."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def select(self, *names: str, **criteria: Any) -> Selection:
        """Select stacks."""
        return select(self.project, self.root, Criteria(names, **criteria))

    def selected(self, *names: str, **criteria: Any) -> list[str]:
        """Select stacks and return their names."""
        return [member.stack for member in self.select(*names, **criteria).members]

    def members(self) -> dict[str, Member]:
        """Return all members by stack."""
        return {member.stack: member for member in members(self.project.stack_files())}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a project without stacks."""
    (tmp_path / "project").mkdir()
    return Repository(tmp_path / "project")
