"""The import of an existing tenant: its stack file and its state, created from the objects at Qlik.

An import changes nothing at Qlik. It writes the objects as the settings of a stack
(`tenantry.importing.finders`, one module per topic). The project's own program declares resources from them,
and these get the ids of the objects. All of this happens in a scratch copy of the project with its own
backend. The import saves file and state only after a preview there has found no difference.
"""

from __future__ import annotations

from tenantry.importing.errors import ImportRefused
from tenantry.importing.run import ImportRequest, ImportResult, import_tenant

__all__ = ["ImportRefused", "ImportRequest", "ImportResult", "import_tenant"]
