"""The real engine needs what the end-to-end tests need."""

from tests.e2e.conftest import make_stack, scratch, session_folder

__all__ = ["make_stack", "scratch", "session_folder"]
