"""Tenantry: one Qlik Cloud tenant per customer, as code, with Pulumi.

```python
import pulumi

from tenantry import QlikCustomerTenant, current_settings

customer = QlikCustomerTenant(pulumi.get_stack(), current_settings())
```

The resource types are in `tenantry.providers`. The names below are imported on first use, because every
import slows down every `pulumi` run.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tenantry.garbage import paused_collection

if TYPE_CHECKING:
    from tenantry.components import QlikCustomerTenant as QlikCustomerTenant
    from tenantry.errors import TenantryError as TenantryError
    from tenantry.providers.framework.loader import provider as provider
    from tenantry.settings import SettingsError as SettingsError
    from tenantry.settings import current_settings as current_settings

_HOMES = {
    "QlikCustomerTenant": "tenantry.components",
    "SettingsError": "tenantry.settings",
    "TenantryError": "tenantry.errors",
    "current_settings": "tenantry.settings",
    "provider": "tenantry.providers.framework.loader",
}
"""The modules of the public names. `tenantry.provider` must stay here, because states refer to it."""

__all__ = ["QlikCustomerTenant", "SettingsError", "TenantryError", "current_settings", "provider"]

_LINKS = ("components", "providers")
"""In a checkout these are links to top-level folders."""

for _name in _LINKS:
    if not os.path.isdir(os.path.join(os.path.dirname(__file__), _name)):
        raise ImportError(
            f"{os.path.join(os.path.dirname(__file__), _name)} is not a folder. In Tenantry's repository it "
            f"is a link to ../{_name}, but a tool without support for links has unpacked it as text. "
            "Clone the repository with git (on Windows with `git config core.symlinks true`), unpack the "
            "archive with tar, or install the wheel."
        )


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        with paused_collection():
            return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
