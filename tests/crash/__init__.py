"""Hundreds of runs that stop at any point, with a small in-process version of Pulumi's engine.

`engine.py` is the entry point of that engine. `traces/` compares it with the real engine.
"""
