"""Creates the resources that `program.json` lists; see `things.py`."""

import json
from pathlib import Path
from typing import Any

import pulumi
from things import Group, Thing  # type: ignore[import-not-found]

made: dict[str, Any] = {}
for declaration in json.loads(Path("program.json").read_text("utf-8")):
    options = pulumi.ResourceOptions(
        parent=made.get(declaration.get("parent")),
        depends_on=[made[name] for name in declaration.get("needs", [])],
        deleted_with=made.get(declaration.get("with")),
        protect=declaration.get("protect"),
        delete_before_replace=declaration.get("delete_first"),
        aliases=[pulumi.Alias(name=name) for name in declaration.get("was", [])],
    )
    inputs = {name: declaration[name] for name in ("size", "shape", "first", "wrong") if name in declaration}
    if "of" in declaration:
        inputs["of"] = made[declaration["of"]].id
    if "like" in declaration:
        inputs["like"] = made[declaration["like"]].size
    kind = Group if declaration.get("group") else Thing
    made[declaration["name"]] = kind(declaration["name"], inputs, options)

things = {name: resource for name, resource in made.items() if isinstance(resource, Thing)}
pulumi.export("sizes", {name: thing.size for name, thing in things.items()})
pulumi.export("times made", {name: thing.made.apply(lambda made: made + 0) for name, thing in things.items()})
