"""Files that strangers may have written, such as those of a fork: read without waiting and without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO


def read_bytes(path: Path, most: int) -> bytes:
    """Return the content of a plain file of at most `most` bytes; links are followed.

    Raises OSError, also for a device, a pipe, a file that is too large, and what cannot be a path.
    """
    with open_plain(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise too_large(path, most)
    return content


def open_plain(path: Path) -> IO[bytes]:
    """Open a plain file for reading; links are followed. Raises OSError, also for a device or a pipe."""
    try:
        # A pipe that nobody writes into would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError:
        raise OSError(errno.EINVAL, "that is no path", str(path)) from None
    file = open(descriptor, "rb")  # noqa: SIM115 - the caller closes it
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    return file


def too_large(path: Path, most: int) -> OSError:
    """Return the error for a file of more than `most` bytes."""
    return OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
