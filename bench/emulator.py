"""Load on the emulator: many tenants, many requests."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from bench.table import Row
from tenantry.emulator import Emulator
from tenantry.emulator.apis import apps, groups, spaces, tenants, users
from tenantry.emulator.apis.assignments import add_assignment
from tenantry.emulator.seed import load_seed
from tenantry.emulator.store import SHARED, Doc
from tenantry.emulator.world import World

MEGABYTE = 1024 * 1024
TENANTS = 1_000
REQUESTS = 20_000
MAX_MEDIAN_MS = 10
MAX_GROWTH_MB = 20


def create_tenants(world: World, count: int) -> list[str]:
    """Create tenants with 50 objects each. Return their hostnames."""
    licence = world.store.all(SHARED, "licence")[0]
    client = world.store.get(SHARED, "client", "demo") or {}
    hosts = []
    with world.store.transaction():
        for number in range(count):
            tenant = tenants.add_tenant(
                world, region="eu", licence=licence, name=f"Customer {number}", _made=True
            )
            hosts.append(tenant["hostnames"][0])
            _fill_tenant(world, tenant, users.bot_of(world, tenant, client, "eu"))
    return hosts


def _fill_tenant(world: World, tenant: Doc, bot: Doc) -> None:
    created_spaces = [
        spaces.add_space(world, tenant["id"], bot, name=f"Space {n}", kind="managed" if n % 2 else "shared")
        for n in range(10)
    ]
    for number in range(15):
        group = groups.add_group(world, tenant["id"], bot, name=f"Group {number}", kind="idp")
        space = created_spaces[number % 10]
        add_assignment(world, space, bot, assignee=group["id"], roles=["consumer"], kind="group")
        if number < 10:
            apps.add_app(world, tenant["id"], bot, name=f"App {number}", space=space["id"])


def measure(url: str, hosts: list[str], total: int) -> tuple[dict[str, list[float]], float]:
    """Send requests to the hosts in turn.

    Return the milliseconds of each request by path, and the growth of memory in MB.
    """
    connection = http.client.HTTPConnection(url.partition("//")[2], timeout=30)
    tokens = {host: _token(connection, host) for host in hosts[:50]}
    console = _token(connection, "console.qlikcloud.com", "demo-org")
    first = _read(connection, hosts[0], "/api/v1/spaces", tokens[hosts[0]])["data"][0]["id"]
    assert first
    paths = [
        "/api/v1/spaces?limit=100",
        "/api/v1/items?resourceType=app&name=app",
        "/api/v1/groups",
        "/api/v1/users",
    ]
    times: dict[str, list[float]] = {}
    process = psutil.Process()
    start_memory = 0
    for number in range(total):
        if number == total // 4:
            start_memory = process.memory_info().rss
        host = hosts[number % len(tokens)]
        if number % 100 == 0:
            path, token, host = "/api/core/tenants", console, "console.qlikcloud.com"
        else:
            path, token = paths[number % 4], tokens[host]
        started = time.perf_counter()
        _read(connection, host, path, token)
        times.setdefault(path, []).append((time.perf_counter() - started) * 1000)
    connection.close()
    return times, (process.memory_info().rss - start_memory) / MEGABYTE


def _token(connection: http.client.HTTPConnection, host: str, client: str = "demo") -> str:
    body = {"client_id": client, "client_secret": f"{client}-secret", "grant_type": "client_credentials"}
    headers = {"Host": host, "Content-Type": "application/json"}
    connection.request("POST", "/oauth/token", json.dumps(body), headers)
    return str(json.loads(connection.getresponse().read())["access_token"])


def _read(connection: http.client.HTTPConnection, host: str, path: str, token: str) -> Any:
    connection.request("GET", path, headers={"Host": host, "Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"GET {host}{path}: {response.status} {body[:300]!r}")
    return json.loads(body)


def rows() -> list[Row]:
    """Measure the time of a read with many tenants over one open connection, and the growth of memory."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        world = World(folder, load_seed)
        hosts = create_tenants(world, TENANTS)
        world.close()
        with Emulator(folder) as qlik:
            times, growth = measure(qlik.url, hosts, REQUESTS)
    path, slowest = max(times.items(), key=lambda timing: statistics.median(timing[1]))
    median, p99 = statistics.median(slowest), statistics.quantiles(slowest, n=100)[98]
    load = f"{TENANTS} tenants of 50 objects, {REQUESTS} requests"
    return [
        Row(
            "emulator",
            f"{load}; slowest read, GET {path}, p99 {p99:.0f} ms",
            f"{median:.1f} ms",
            f"{MAX_MEDIAN_MS} ms",
            median / MAX_MEDIAN_MS,
            1.0,
        ),
        Row(
            "  memory",
            "growth over the requests",
            f"{growth:.1f} MB",
            f"{MAX_GROWTH_MB} MB",
            growth / MAX_GROWTH_MB,
            1.0,
        ),
    ]
