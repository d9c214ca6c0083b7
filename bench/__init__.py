"""Benchmarks: `make bench`. Every figure stands beside one measured in the same run, as a ratio."""
