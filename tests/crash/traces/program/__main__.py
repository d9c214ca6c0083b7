"""Creates the resources that `program.json` lists; see `things.py`."""

import json
from pathlib import Path
from typing import Any

import pulumi
from things import Group, Thing  # type: ignore[import-not-found]

resources: dict[str, Any] = {}
for declaration in json.loads(Path("program.json").read_text("utf-8")):
    options = pulumi.ResourceOptions(
        parent=resources.get(declaration.get("parent")),
        depends_on=[resources[name] for name in declaration.get("needs", [])],
        deleted_with=resources.get(declaration.get("deleted_with")),
        protect=declaration.get("protect"),
        delete_before_replace=declaration.get("delete_before_replace"),
        aliases=[pulumi.Alias(name=name) for name in declaration.get("former_names", [])],
    )
    inputs = {
        name: declaration[name] for name in ("size", "shape", "deletes_first", "wrong") if name in declaration
    }
    if "of" in declaration:
        inputs["of"] = resources[declaration["of"]].id
    if "like" in declaration:
        inputs["like"] = resources[declaration["like"]].size
    resource_class = Group if declaration.get("group") else Thing
    resources[declaration["name"]] = resource_class(declaration["name"], inputs, options)

things = {name: resource for name, resource in resources.items() if isinstance(resource, Thing)}
pulumi.export("sizes", {name: thing.size for name, thing in things.items()})
pulumi.export(
    "write counts", {name: thing.writes.apply(lambda count: count + 0) for name, thing in things.items()}
)
