"""A comparison of the in-process engine with the real one: both must make the same calls and states."""
