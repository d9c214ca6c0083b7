"""A local Qlik Cloud to develop and test against.

Run `python -m tenantry.emulator`, or use `with Emulator() as qlik:` in Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenantry.emulator.control_client import Control, ControlError
    from tenantry.emulator.server import Emulator

__all__ = ["Control", "ControlError", "Emulator"]

_MODULES = {"Control": "control_client", "ControlError": "control_client", "Emulator": "server"}


def __getattr__(name: str) -> Any:
    # Imported on first use: the server's libraries are an extra, and they load slowly.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(__name__):
            raise
        raise ImportError(
            f"{error.name} is missing. Install Tenantry again from the same source, with its extra: "
            "tenantry[emulator]"
        ) from error
