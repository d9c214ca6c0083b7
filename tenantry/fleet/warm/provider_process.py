"""A provider process that serves one preview after another, run as a module in the folder of a project.

Starting one takes a third of what a preview costs. The engine can attach to one that runs already, see
`tenantry.pulumi_internals.attaching`. It ends with its standard input, so with the process that started it.

For previews alone: they send no request to Qlik, so nothing has to end with the engine.
"""

from __future__ import annotations

import os
import sys
import threading

from tenantry.pulumi_internals import attaching


def main() -> None:
    """Serve until standard input ends; the port is the first line on standard output."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.argv = sys.argv[:1]
    attaching.serve()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
