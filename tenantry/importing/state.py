"""The state of an imported tenant: the resources of the program, with the ids of their objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tenantry.providers
from tenantry.importing.errors import ImportRefused
from tenantry.importing.findings import Found, Properties
from tenantry.providers.values import tokens
from tenantry.pulumi_internals import import_files
from tenantry.pulumi_internals.unknown_values import PLACEHOLDER

_OUR_TYPES = tokens.RESOURCES


def fill(skeleton: Properties, preview: Properties, objects: Iterable[Found]) -> Properties:
    """Return the file for `pulumi import --file`.

    `skeleton` is the file that `pulumi preview --import-file` wrote. `preview` is its output with `--json`.
    It contains the inputs of the program, except ids of objects that do not exist yet. Raises ImportRefused
    if the program has a resource without an object, or would change an object.
    """
    known = list(objects)
    ids: dict[str, str] = {}
    outputs_by_urn: dict[str, Properties] = {}
    imported: dict[tuple[str, str], Properties] = {}
    for resource in import_files.planned(preview):
        if not resource["type"].startswith(_OUR_TYPES):
            continue
        kind, name = resource["type"].removeprefix(_OUR_TYPES), resource["urn"].rpartition("::")[2]
        inputs = dict(_resolved(resource, ids, outputs_by_urn))
        found = _match(kind, name, inputs, known)
        ids[resource["urn"]] = found.id
        outputs = inputs | _outputs(found, inputs)
        outputs_by_urn[resource["urn"]] = outputs
        imported[resource["type"], name] = {"id": found.id, "inputs": inputs, "outputs": outputs}
    return import_files.filled(skeleton, imported)


def _match(kind: str, name: str, inputs: Properties, known: list[Found]) -> Found:
    matches = [found for found in known if found.is_for(kind, inputs)]
    if len(matches) != 1:
        what = f"{len(matches)} matching objects" if matches else "no matching object"
        raise ImportRefused(f'the program of the project declares {kind} "{name}", but the tenant has {what}')
    other = matches[0].differences(inputs)
    if other:
        raise ImportRefused(
            f'the next `up` would change {", ".join(other)} of {kind} "{name}" ({matches[0].id})'
        )
    return matches[0]


def _resolved(
    resource: Properties, ids: Mapping[str, str], outputs: Mapping[str, Properties]
) -> Iterator[tuple[str, Any]]:
    """Yield the inputs of a resource.

    An unknown input is the output with this name of the resource that it depends on, or the id of that
    resource.
    """
    depends_on = resource.get("propertyDependencies") or {}
    for name, value in resource["inputs"].items():
        if value == PLACEHOLDER:
            [urn] = depends_on[name]
            yield name, outputs[urn].get(name, ids[urn])
        else:
            yield name, value


def _outputs(found: Found, inputs: Properties) -> Properties:
    known = tenantry.providers.resource_types()[found.kind].properties
    return {
        name: value
        for name, value in found.live.items()
        if value is not None and name in known and (known[name].computed or name in inputs)
    }
