"""Runs that are cut off anywhere, by the hundred: Pulumi's engine in process, small enough to read.

`engine.py` is what tests use. `traces/` holds it against the real one.
"""
