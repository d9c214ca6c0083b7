"""The file that `pulumi import` takes, as `pulumi preview --import-file` begins it.

Relies on: the file has `resources` with `type` and `name`, or `logicalName` where the name is not its own,
and takes `id`, `inputs` and `outputs` for each, `__provider` among them. That is what makes an import of
dynamic resources possible. `pulumi preview --json` has `steps`, parents first, whose `newState` is the
resource as the program registers it, with its `propertyDependencies`.

Seen to hold: CLI 3.259.0; `outputs` since 3.254.

When it breaks: `tenantry import` fails in its scratch copy. Project and backend stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def planned(preview: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the resources of what `pulumi preview --json` printed, parents first."""
    for step in preview["steps"]:
        yield step["newState"]


def filled(skeleton: Mapping[str, Any], made: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, Any]:
    """Return the file with what was found for each resource, by its type and its name."""
    return {
        **skeleton,
        "resources": [
            {**each, **made.get((each["type"], each.get("logicalName") or each["name"]), {})}
            for each in skeleton["resources"]
        ],
    }
