"""The real engine."""

from tests.e2e.conftest import make_stack, scratch

__all__ = ["make_stack", "scratch"]
