"""Run the demo and draw its output into docs/demo.svg: `python -m tools.recording`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "demo.svg"
FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)  # a browser fetches the font from another host
UNFINISHED = re.compile(r" creating \(\d")


def main() -> None:
    """Run the demo and draw its output. Leave out the lines that only announce the start of a step."""
    command = [str(Path(sys.executable).with_name("tenantry")), "demo"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = [line.rstrip() for line in output.splitlines() if not UNFINISHED.search(line)]
    with Path("/dev/null").open("w") as sink:
        console = Console(record=True, width=118, file=sink)
        console.print(Text("$ tenantry demo", style="bold"))
        for line in lines:
            console.print(Text.from_ansi(line), overflow="ellipsis", no_wrap=True)
        PICTURE.write_text(FONT.sub("", console.export_svg(title="Tenantry")), "utf-8")


if __name__ == "__main__":
    main()
