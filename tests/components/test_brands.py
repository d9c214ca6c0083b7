"""The order of changes of brands in a customer's component."""

from __future__ import annotations

from tests.components.program import run


def test_the_active_brand_depends_on_the_others() -> None:
    """A brand that becomes inactive restores the previous brand. Only then is the new one activated."""
    brands = {"Autumn": {}, "Globex": {"active": False}, "Winter": {"active": False}}
    resources, _ = run({"name": "Globex", "brands": brands})
    assert set(resources["Brand Autumn"].depends_on) >= {"Globex", "Winter"}
    for name in ("Globex", "Winter"):
        assert not {"Autumn", "Globex", "Winter"} & set(resources[f"Brand {name}"].depends_on)
