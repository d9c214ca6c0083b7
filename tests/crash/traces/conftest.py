"""The fixtures of the end-to-end tests, which the real engine needs."""

from tests.e2e.conftest import make_stack, scratch, session_folder

__all__ = ["make_stack", "scratch", "session_folder"]
