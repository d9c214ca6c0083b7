"""A forked process for each run: the memory of a run ends with it.

A killed run also loses everything that it has not written. As with SIGKILL, no `finally` block runs and no
lock is released.
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
FAILED = 70
TIMEOUT_SECONDS = 240.0


def die() -> None:
    """End this process at once, like a kill."""
    os._exit(KILLED)


def run(function: Callable[[], None], *, seconds: float = TIMEOUT_SECONDS) -> bool:
    """Call a function in a new process; return True if it ended normally, and False after `die`.

    An exception there becomes an AssertionError here, and its traceback goes to stderr.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Python 3.12 warns about other threads. The only one is the emulator's, which waits for requests.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        _run_child(function)
    try:
        code = _wait(child, seconds)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    assert code in (0, KILLED), f"the run failed (exit code {code}); its traceback is on stderr"
    return code == 0


def _run_child(function: Callable[[], None]) -> None:
    code = FAILED
    gc.disable()  # a collection writes to, and so copies, all memory of the test's process
    try:
        function()
        code = 0
    except BaseException:  # noqa: BLE001 - no exception may reach the frames of the test above
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    pause = 0.001
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        assert time.monotonic() < deadline, f"the run has not ended after {seconds} s"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.01)
