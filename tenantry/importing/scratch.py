"""A temporary copy of a project with its own backend. An error there leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenantry.pulumi_internals import environment
from tenantry.settings.project import Project
from tenantry.state.backend import Backend

SECONDS = 1800.0
"""The timeout of one `pulumi` command. It writes the whole state for each object."""


@contextmanager
def scratch(project: Project, root: Path) -> Iterator[tuple[Backend, Path]]:
    """Yield a backend with a copy of the project without stacks, and the folder for its stack files.

    The copy consists of links. It has no stack files.
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
            # Write the state once per command, not per object: nobody needs the state of a killed command.
            **environment.ONE_CHECKPOINT,
        }
        yield Backend(copy, needed, SECONDS), inside


def _link(folder: Path, to: Path, but: Path | None = None) -> None:
    for path in folder.iterdir():
        is_stack = path.name.startswith("Pulumi.") and path.name not in ("Pulumi.yaml", "Pulumi.yml")
        if path != but and not is_stack and path.name != ".git":
            (to / path.name).symlink_to(path)
