"""Why a tenant is not imported."""

from __future__ import annotations


class ImportRefused(Exception):
    """The tenant cannot be imported; nothing was changed, at Qlik or here. The text says why."""
