"""A provider string that Tenantry has not written."""

from __future__ import annotations

import base64
import pathlib
import pickle
from pathlib import Path
from typing import Any


class _Touch:
    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"import pathlib; pathlib.Path({self.file!r}).touch()",)


def foreign_string(file: Path = pathlib.Path("ran")) -> str:
    """Return a `__provider` string that creates a file when it is unpickled."""
    return base64.b64encode(pickle.dumps(_Touch(file), protocol=4)).decode()
