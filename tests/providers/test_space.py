"""Spaces."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.engine import Failure
from tests.providers.twins import Ask, Case, Drift, InPlace, Inputs, Tenancy, Twin

PATCH = ("PATCH /api/v1/spaces/{id}",)
PROPERTIES = ("name", "type", "description")


def given(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "name": "Sales", "type": "managed", "description": "Ours"}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = {each["id"]: each for each in tenancy.world.spaces.values()}.get(id)
    return found and {name: found[name] for name in PROPERTIES}


def existing(tenancy: Tenancy, inputs: Inputs, ask: Ask) -> str:
    body = {"name": inputs["name"], "type": inputs["type"], "description": "Theirs"}
    return str(ask("POST", "spaces", body)["id"])


CASE = Case(
    "space",
    given,
    remote,
    creates=("POST /api/v1/spaces",),
    deletes=("DELETE /api/v1/spaces/{id}",),
    changes={"name": InPlace("Sales North", PATCH), "description": InPlace("", PATCH)},
    replaces={"type": "data"},
    drifts={
        "name": Drift(lambda t, id: t.world.patch(f"spaces/{id}", name="Mine"), "Mine"),
        "description": Drift(lambda t, id: t.world.patch(f"spaces/{id}", description="x"), "x"),
    },
    gone=lambda t, id: t.world.request("DELETE", f"spaces/{id}"),
    existing=existing,
    corrected=frozenset({"description"}),
)


def test_a_space_that_is_not_empty_stays(twin: Callable[[str], Twin], tenancy: Tenancy) -> None:
    """Qlik refuses (412); the message lists what is in it, and emptied it goes."""
    space = twin("space").create({**given(tenancy), "type": "shared"})
    apps = [tenancy.app(name, "Sales") for name in ("Forecast", "Pipeline")]
    with pytest.raises(Failure) as caught:
        space.delete()
    for said in ('"Sales"', space.id, tenancy.hostname, "Forecast", "Pipeline", *apps):
        assert said in str(caught.value)
    assert "Sales" in tenancy.world.spaces
    for app in apps:
        tenancy.as_bot("DELETE", f"apps/{app}")
    space.delete()
    assert tenancy.world.spaces == {}


def test_a_space_of_another_type_is_not_taken_over(twin: Callable[[str], Twin], tenancy: Tenancy) -> None:
    """Its type cannot be corrected, so it is not the space that is wanted, whoever made it."""
    theirs = tenancy.space("Sales", "shared")
    with pytest.raises(Failure) as caught:
        twin("space").create(given(tenancy))
    assert theirs in str(caught.value)
    assert "shared" in str(caught.value)
    assert tenancy.world.spaces["Sales"]["type"] == "shared"


def test_names_are_told_apart_by_case(twin: Callable[[str], Twin], tenancy: Tenancy) -> None:
    """Qlik's search finds parts of names in any case; only a space of exactly this name is taken over."""
    tenancy.space("SALES", "managed")
    tenancy.space("Sales and more", "managed")
    ours = tenancy.space("Sales", "managed")
    assert twin("space").create(given(tenancy)).id == ours
