"""Banners."""

from __future__ import annotations

from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, SendRequest, Tenancy

PATH = "/api/v1/banners"
PATCH = (f"PATCH {PATH}/{{id}}",)
SAMPLE = {"tenant": "x1y2z3.eu.qlikcloud.com", "name": "Welcome", "content": "Hello", "adopt": True}
EXAMPLE = {"Welcome": {"text": "Hello"}}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "name": "Welcome", "content": "Hello"}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = next((banner for banner in tenancy.world.every("banner") if banner["id"] == id), None)
    return found and {"name": found["name"], "content": found["content"]}


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    return str(send("POST", "banners", {"name": inputs["name"], "content": "Theirs"})["id"])


CASE = Case(
    "banner",
    inputs_for,
    remote,
    creates=(f"POST {PATH}",),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={"name": InPlace("Hello", PATCH), "content": InPlace("Good morning", PATCH)},
    drifts={
        "name": Drift(lambda t, id: t.world.patch(f"banners/{id}", name="Mine"), "Mine"),
        "content": Drift(lambda t, id: t.world.patch(f"banners/{id}", content="Mine"), "Mine"),
    },
    remove=lambda t, id: t.world.request("DELETE", f"banners/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"content"}),
)
