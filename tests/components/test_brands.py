"""Brands in the component of a customer: the order of their changes."""

from __future__ import annotations

from tests.components.program import run


def test_the_active_brand_comes_after_the_others() -> None:
    """The deactivated brand restores the previous brand first. Then the other brand is activated."""
    brands = {"Autumn": {}, "Globex": {"active": False}, "Winter": {"active": False}}
    resources, _ = run({"name": "Globex", "brands": brands})
    assert set(resources["Brand Autumn"].depends_on) >= {"Globex", "Winter"}
    for name in ("Globex", "Winter"):
        assert not {"Autumn", "Globex", "Winter"} & set(resources[f"Brand {name}"].depends_on)
