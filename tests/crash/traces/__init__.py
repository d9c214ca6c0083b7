"""A comparison of the in-process engine with the real one: the same programs, calls and states."""
