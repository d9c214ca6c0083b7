"""Tests, in the folders of what they test; `tests/e2e` drives the real engine."""
