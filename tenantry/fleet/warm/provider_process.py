"""A provider process for many previews, one after another. It runs as a module in the folder of a project.

Starting a provider is a third of the cost of a preview. The engine can attach to one that is running, see
`tenantry.pulumi_internals.attaching`. The process ends when its standard input ends, which happens at the
latest when the parent process ends.

It is only for previews: they send no requests to Qlik, so nothing has to end with the engine.
"""

from __future__ import annotations

import os
import sys
import threading

from tenantry.pulumi_internals import attaching


def main() -> None:
    """Serve until standard input ends. The port is the first line of standard output."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.argv = sys.argv[:1]
    attaching.serve()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
