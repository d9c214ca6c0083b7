"""Tests. Most folders have the name of the package that they test. `tests/e2e` runs the real engine."""
