"""Safe reading of files from untrusted sources, such as a fork. It never blocks, and limits the size."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the content of a plain file of at most `max_bytes` bytes. Links are followed.

    Raises OSError, even for a device, a pipe, a file that is too large, and an invalid path.
    """
    with open_plain(path) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise too_large(path, max_bytes)
    return content


def open_plain(path: Path) -> IO[bytes]:
    """Open a plain file for reading. Links are followed. Raises OSError, even for a device or a pipe."""
    try:
        # O_NONBLOCK, because opening a pipe without a writer blocks.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError:
        raise OSError(errno.EINVAL, "this is not a path", str(path)) from None
    file = open(descriptor, "rb")  # noqa: SIM115 - the caller closes it
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    return file


def too_large(path: Path, max_bytes: int) -> OSError:
    """Return the error for a file of more than `max_bytes` bytes."""
    return OSError(errno.EFBIG, f"it has more than {max_bytes:,} bytes", str(path))
