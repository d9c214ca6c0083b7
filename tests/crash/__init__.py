"""Hundreds of runs that are cut off at any point, with a small in-process version of Pulumi's engine.

Tests use `engine.py`. `traces/` compares it with the real engine.
"""
