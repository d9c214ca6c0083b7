"""The initial state of the emulated cloud, read from seed.json."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from tenantry.emulator.apis import apps, assignments, spaces, tenants, users
from tenantry.emulator.call import ADMIN
from tenantry.emulator.clock import DAY, iso
from tenantry.emulator.load_scripts import load
from tenantry.emulator.store import SHARED, Doc
from tenantry.emulator.world import World

PATH = Path(__file__).parent / "seed.json"
Data = dict[str, Any]


@cache
def _data() -> Data:
    data: Data = json.loads(PATH.read_text("utf-8"))
    return data


def load_seed(world: World) -> None:
    """Fill an empty cloud with the seed."""
    for licence in _data()["licences"]:
        world.store.put(SHARED, "licence", _licence(world, licence))
    for client in _data()["clients"]:
        world.store.put(SHARED, "client", dict(client))
    for tenant in _data()["tenants"]:
        _add_tenant(world, tenant)


def _licence(world: World, licence: Data) -> Doc:
    today = iso(world.now())[:10]
    allotments = [
        {"name": name, "usageClass": "", "units": units, "unitsUsed": 0, "overage": 0}
        for name, units in (("professional", 100), ("analyzer", 10_000))
    ]
    return {
        "id": licence["licenseNumber"],
        "licenseType": "Signed",
        "secondaryNumber": "",
        "origin": "External",
        "status": "Ok",
        "trial": False,
        "valid": f"{today}/{iso(world.now() + 365 * DAY)[:10]}",
        "updated": iso(world.now()),
        "allotments": allotments,
        "parameters": [],
        **licence,
    }


def _add_tenant(world: World, data: Data) -> None:
    licence = world.store.get(SHARED, "licence", data["licence"]) or {}
    tenant = tenants.add_tenant(
        world, region=data["region"], licence=licence, label=data["label"], name=data["name"]
    )
    admin = users.add_user(world, tenant, roles=[ADMIN], **data["admin"])
    for space in data["spaces"]:
        _add_space(world, tenant, admin, space)


def _add_space(world: World, tenant: Doc, admin: Doc, data: Data) -> None:
    space = spaces.add_space(world, tenant["id"], admin, name=data["name"], kind=data["type"])
    for client_id, roles in data.get("members", {}).items():
        client = world.store.get(SHARED, "client", client_id) or {}
        bot = users.bot_of(world, tenant, client, tenant["_region"])
        assignments.add_assignment(world, space, admin, assignee=bot["id"], roles=roles)
    for app in data.get("apps", []):
        _add_app(world, tenant, admin, space, app)
    for app in data.get("publish", []):
        _publish(world, tenant, admin, space, app["name"])


def _add_app(world: World, tenant: Doc, admin: Doc, space: Doc, data: Data) -> None:
    apps.add_app(
        world,
        tenant["id"],
        admin,
        name=data["name"],
        space=space["id"],
        description=data["description"],
        lastReloadTime=iso(world.now()),
        _data=load(apps.DEFAULT_SCRIPT, {}, 1),
        _file=_content(world, data),
        _size=data["size"],
    )


def _content(world: World, data: Data) -> str:
    """Store a file of the app's size. Its bytes depend on the app, so that versions differ."""
    seed = hashlib.sha256(f"{data['name']} {data['description']}".encode()).digest()
    spool = world.files.spool()
    spool.write((seed * (data["size"] // len(seed) + 1))[: data["size"]])
    return world.files.store(spool)


def _publish(world: World, tenant: Doc, admin: Doc, space: Doc, name: str) -> None:
    source = world.store.by_name(tenant["id"], "app", name)[0]
    copied_fields = ("description", "lastReloadTime", "_data", "_file", "_size")
    apps.add_app(
        world,
        tenant["id"],
        admin,
        name=name,
        space=space["id"],
        publishTime=iso(world.now()),
        originAppId=source["id"],
        **{field: source[field] for field in copied_fields},
    )
