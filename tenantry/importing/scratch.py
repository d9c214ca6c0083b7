"""A scratch copy of a project, with a backend of its own: what goes wrong there leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenantry.pulumi_internals import environment
from tenantry.settings.project import Project
from tenantry.state.backend import Backend

SECONDS = 1800.0
"""The longest that one `pulumi` command may take: it writes the whole state for each object."""


@contextmanager
def scratch(project: Project, root: Path) -> Iterator[tuple[Backend, Path]]:
    """Give a backend with a copy of the project in which no stack is, and the folder of its stack files.

    The copy is made of links, but for the stack files, of which it has none.
    """
    with tempfile.TemporaryDirectory(prefix="tenantry-import-") as name:
        folder = Path(name)
        copy, state = folder / "project", folder / "state"
        copy.mkdir()
        state.mkdir(mode=0o700)
        stacks = project.stacks.resolve()
        _link(root.resolve(), copy, but=stacks)
        inside = copy / stacks.relative_to(root.resolve())
        inside.mkdir(parents=True, exist_ok=True)
        if inside != copy:
            _link(stacks, inside)
        needed = {
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_CONFIG_PASSPHRASE_FILE": "",
            **environment.NO_LEGACY_WARNING,
            **environment.NO_BACKUPS,
            # The state is written once per command, not once per object: what a killed one did is not needed.
            **environment.ONE_CHECKPOINT,
        }
        yield Backend(copy, needed, SECONDS), inside


def _link(folder: Path, to: Path, but: Path | None = None) -> None:
    for each in folder.iterdir():
        is_stack = each.name.startswith("Pulumi.") and each.name not in ("Pulumi.yaml", "Pulumi.yml")
        if each != but and not is_stack and each.name != ".git":
            (to / each.name).symlink_to(each)
