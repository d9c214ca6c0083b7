"""Extensions. They work like themes."""

from __future__ import annotations

from pathlib import Path

from tenantry.providers.values import archives
from tests.archives import EXTENSION, form, named, scratch, write
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, SendRequest, Tenancy

PATH = "/api/v1/extensions"
PATCH = (f"PATCH {PATH}/{{id}}",)
TENANT = "x1y2z3.eu.qlikcloud.com"
SAMPLE = {"tenant": TENANT, "name": "Gauge", "md5": "0123456789abcdef0123456789abcdef", "adopt": True}
EXAMPLE = {"Gauge": {"path": str(EXTENSION)}}


def write_extension(tenancy: Tenancy, style: str = "red", name: str = "Gauge") -> Path:
    """Write the extension of the tenancy and return its folder."""
    return write(Path(scratch().name, tenancy.hostname, "extension"), name, style, type="visualization")


def md5(tenancy: Tenancy, style: str = "red") -> str:
    """Write the extension and return its MD5."""
    return archives.read(write_extension(tenancy, style), theme=False).md5


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Gauge",
        "md5": md5(tenancy),
        "path": str(write_extension(tenancy)),
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = next((found for found in tenancy.world.every("extension") if found["id"] == id), None)
    return found and {"name": found["name"], "md5": found["file"]["md5"]}


def write_theirs(tenancy: Tenancy, name: str = "Gauge") -> Path:
    """Write an extension of somebody else and return its folder."""
    return write(Path(scratch().name, tenancy.hostname, "theirs"), name, "blue", type="visualization")


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    return str(send("POST", "extensions", form(write_theirs(tenancy, inputs["name"]), theme=False))["id"])


CASE = Case(
    "extension",
    inputs_for,
    remote,
    creates=(f"POST {PATH}",),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Gauge 2", PATCH),
        "md5": InPlace(lambda t: md5(t, "green"), PATCH),
    },
    drifts={
        "name": Drift(lambda t, id: t.world.request("PATCH", f"extensions/{id}", named("Mine")), "Mine"),
        "md5": Drift(
            lambda t, id: t.world.request("PATCH", f"extensions/{id}", form(write_theirs(t), theme=False)),
            lambda t: archives.read(write_theirs(t), theme=False).md5,
        ),
    },
    remove=lambda t, id: t.world.request("DELETE", f"extensions/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"md5"}),
)
