"""The fixtures of the end-to-end tests, which run the real engine."""

from tests.e2e.conftest import make_stack, scratch, session_folder

__all__ = ["make_stack", "scratch", "session_folder"]
