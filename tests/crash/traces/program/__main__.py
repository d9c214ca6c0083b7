"""Makes the resources that `program.json` lists; see `things.py`."""

import json
from pathlib import Path
from typing import Any

import pulumi
from things import Group, Thing  # type: ignore[import-not-found]

made: dict[str, Any] = {}
for each in json.loads(Path("program.json").read_text("utf-8")):
    options = pulumi.ResourceOptions(
        parent=made.get(each.get("parent")),
        depends_on=[made[name] for name in each.get("needs", [])],
        deleted_with=made.get(each.get("with")),
        protect=each.get("protect"),
        delete_before_replace=each.get("delete_first"),
        aliases=[pulumi.Alias(name=name) for name in each.get("was", [])],
    )
    inputs = {name: each[name] for name in ("size", "shape", "first", "wrong") if name in each}
    if "of" in each:
        inputs["of"] = made[each["of"]].id
    if "like" in each:
        inputs["like"] = made[each["like"]].size
    kind = Group if each.get("group") else Thing
    made[each["name"]] = kind(each["name"], inputs, options)

things = {name: each for name, each in made.items() if isinstance(each, Thing)}
pulumi.export("sizes", {name: each.size for name, each in things.items()})
pulumi.export("times made", {name: each.made.apply(lambda made: made + 0) for name, each in things.items()})
