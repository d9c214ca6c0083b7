"""A process of its own for each run, made by forking: what a run leaves in memory is gone with it.

So is what a killed one had not written down: no `finally` runs, no lock is let go, as with SIGKILL.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable

KILLED = 99
BROKEN = 70
SECONDS = 240.0


def die() -> None:
    """End this process at once, as if it had been killed."""
    os._exit(KILLED)


def run(do: Callable[[], None], *, seconds: float = SECONDS) -> bool:
    """Do something in a process of its own; return whether it came to its end rather than to a `die`.

    An exception there is an AssertionError here, and its traceback is on stderr.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Python 3.12 warns of other threads: here only the emulator's, which waits for requests.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        _be(do)
    try:
        code = _wait(child, seconds)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    assert code in (0, KILLED), f"the run broke (exit code {code}); its traceback is on stderr"
    return code == 0


def _be(do: Callable[[], None]) -> None:
    code = BROKEN
    gc.disable()  # it would touch, and so copy, all that the test's process holds
    try:
        do()
        code = 0
    except BaseException:  # noqa: BLE001 - nothing may get out: above are the frames of the test
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, seconds: float) -> int:
    end = time.monotonic() + seconds
    pause = 0.001
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        assert time.monotonic() < end, f"no end after {seconds} s"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.01)
