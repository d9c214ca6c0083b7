"""What Python's collector of garbage costs a process that lives for a second."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Collect nothing while the block loads modules, and leave what it has loaded out of later collections.

    None of that is garbage, and to look at all of it again and again takes a quarter of the time of loading.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
