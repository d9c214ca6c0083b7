"""How many examples each test has: a few, always the same, or as many others as `make fuzz` asks for."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 0)
FEW = 150

fuzzing = settings(
    max_examples=EXAMPLES or FEW,
    derandomize=not EXAMPLES,
    phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
