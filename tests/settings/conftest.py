from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

import tenantry.settings

if TYPE_CHECKING:
    from tenantry.settings.models import Customer, Settings

HEAD = """\
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer:
    name: Globex
"""


@dataclass(frozen=True)
class Folder:
    """The stacks/ folder of a project with one stack, globex. The customer's keys begin in line 6."""

    path: Path

    @property
    def stack_file(self) -> Path:
        return self.path / "Pulumi.globex.yaml"

    def write(self, customer: str = "", *, head: str = HEAD, **plans: str) -> Folder:
        """Write the stack file, from its head and the customer's keys, and the plans."""
        self.stack_file.write_text(head + indent(dedent(customer).strip("\n"), "    ") + "\n", "utf-8")
        for name, text in plans.items():
            (self.path / "plans" / f"{name}.yaml").write_text(dedent(text).lstrip("\n"), "utf-8")
        return self

    def load(self) -> Settings:
        """Load the settings of the stack."""
        return tenantry.settings.load_file(self.stack_file)

    def customer(self) -> Customer:
        """Load the customer of the stack."""
        return self.load().customer

    def problems(self) -> list[str]:
        """Return the problems of the stack, one line each, without the first line, which counts them."""
        with pytest.raises(tenantry.settings.SettingsError) as caught:
            self.load()
        count, *lines = str(caught.value).splitlines()
        assert (
            count == f"{len(lines)} problem{'s' if len(lines) > 1 else ''} in the settings of stack globex:"
        )
        return lines


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "stacks" / "plans").mkdir(parents=True)
    return Folder(tmp_path / "stacks")
