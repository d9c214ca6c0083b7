"""The engine in process held against the real one: the same programs, the same calls, the same states."""
