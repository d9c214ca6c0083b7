"""How many examples a fuzzer tries: a few and always the same, or in `make fuzz` many and always others."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 0)


def fuzzing(few: int) -> settings:
    """Return the settings of a fuzzer: `few` examples, or as many as `make fuzz` asks for."""
    return settings(
        max_examples=EXAMPLES or few,
        derandomize=not EXAMPLES,
        phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
