"""Tests. Each folder is named after the package that it tests; `tests/e2e` runs the real engine."""
