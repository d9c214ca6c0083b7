"""The input file of `pulumi import`, from the skeleton of `pulumi preview --import-file`.

Relies on: the file has `resources` with `type` and `name`, or `logicalName` if the name differs, and accepts
`id`, `inputs` and `outputs` for each, including `__provider`. This makes the import of dynamic resources
possible. `pulumi preview --json` has `steps`, parents first, whose `newState` is the registered resource with
its `propertyDependencies`.

Verified with: CLI 3.259.0; `outputs` since 3.254.

When it breaks: `tenantry import` fails in its scratch copy. Project and backend stay unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def planned(preview: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the resources in the output of `pulumi preview --json`, parents first."""
    for step in preview["steps"]:
        yield step["newState"]


def filled(
    skeleton: Mapping[str, Any], imported: Mapping[tuple[str, str], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the file with the values in `imported` for each resource, by its type and name."""
    return {
        **skeleton,
        "resources": [
            {
                **resource,
                **imported.get((resource["type"], resource.get("logicalName") or resource["name"]), {}),
            }
            for resource in skeleton["resources"]
        ],
    }
