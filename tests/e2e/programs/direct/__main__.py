"""A program that uses a resource directly, with four mistakes."""

from typing import Any

from tenantry.providers import Space

wrong: dict[str, Any] = {"descripton": "misspelt", "owner_id": "u123"}
Space("sales", tenant="x1y2z3.eu.qlikcloud.com", name="Sales: North", type="private", **wrong)  # type: ignore[arg-type]
