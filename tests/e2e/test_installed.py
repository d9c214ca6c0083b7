"""The wheel in somebody else's project, which has folders of the names that are in our checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings
from tests.e2e.harness import ROOT, Stack
from tests.packages import build, run

THEIRS = ("providers", "components", "stacks", "fleet", "cli", "emulator", "importing")


def environment(folder: Path, wheel: Path) -> Path:
    """An environment with the wheel, and without the checkout; its libraries are those of this one."""
    run(folder, sys.executable, "-m", "venv", "--without-pip", "venv")
    python = folder / "venv" / "bin" / "python"
    [site] = (folder / "venv" / "lib").glob("python3*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    run(folder, *pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    return folder / "venv" / "bin"


def test_it_runs_beside_folders_of_the_same_names(
    make_stack: Callable[..., Stack], qlik: Emulator, tmp_path: Path
) -> None:
    """`pulumi up`, `tenantry preview` and `pulumi destroy`, none of which imports what is the operator's."""
    bin_ = environment(tmp_path, build(tmp_path))
    stack = make_stack(qlik=qlik)
    for name in THEIRS:
        (stack.folder / name).mkdir(exist_ok=True)
        (stack.folder / name / "__init__.py").write_text("raise SystemExit('this is the operator's')")
    shutil.rmtree(stack.folder / "stacks" / "plans")
    stack.env |= {"PATH": f"{bin_}:{ROOT / '.venv' / 'bin'}:{stack.env['PATH']}"}
    where = run(stack.folder, str(bin_ / "python"), "-c", "import tenantry; print(tenantry.__file__)")
    assert Path(where.strip()).is_relative_to(tmp_path)

    stack.write(**settings(GLOBEX))
    assert "Space Sales" in stack.up().changes["create"]  # type: ignore[operator]
    preview = subprocess.run(
        [bin_ / "tenantry", "preview", stack.name],
        cwd=stack.folder,
        env=stack.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert "up to date" in preview.stdout
    stack.destroy()
