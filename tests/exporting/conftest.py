"""A tenant to export."""

from __future__ import annotations

from tests.providers.conftest import tenancy

__all__ = ["tenancy"]
