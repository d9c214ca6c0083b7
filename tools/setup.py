"""`make setup`: create a virtual environment with the locked packages, and install the Pulumi CLI.

It needs only Python 3.11 or newer and a package registry. Older Pythons must be able to read the first lines
of this file, up to the message below. So these lines use no modern syntax.
"""

import os
import sys

if sys.version_info < (3, 11) or os.name != "posix":
    sys.exit(
        "Tenantry needs Python 3.11 or newer on Linux or macOS; this is Python "
        + sys.version.split()[0]
        + " on "
        + sys.platform
        + ".\nChoose another Python with: make PYTHON=python3.12 ..."
    )

import signal
import time
from pathlib import Path

try:
    from tenantry.pulumi_cli import installation
    from tenantry.pulumi_cli.steps import SetupError, locked
    from tools import environment
except (
    ImportError
) as error:  # its text says what to do if a tool unpacked the links of the checkout as text files
    sys.exit(str(error))

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Bring the checkout's `.venv` up to date. Return 0 on success."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    venv = ROOT / ".venv"
    try:
        with locked(ROOT):
            stamps = environment.ensure(ROOT, venv)
            installation.ensure(venv, stamps)
    except SetupError as error:
        print(f"\nThe set-up stopped here.\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to continue.", file=sys.stderr)
        return 130
    print(f"set-up complete ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
