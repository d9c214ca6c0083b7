"""An existing tenant taken into care: its stack file and its state, made from what is at Qlik.

Nothing is changed at Qlik. What is read becomes the settings of a stack (`tenantry.importing.kinds`, one
module per theme), of which the project's own program makes resources; those get the ids of what was found.
All of that happens in a scratch copy of the project with a backend of its own. File and state come to their
places only when a preview there has found no difference.
"""

from __future__ import annotations

from tenantry.importing.errors import ImportRefused
from tenantry.importing.run import ImportRequest, ImportResult, import_tenant

__all__ = ["ImportRefused", "ImportRequest", "ImportResult", "import_tenant"]
