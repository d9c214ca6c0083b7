"""The number of examples of a fuzzer: a few fixed ones, or many random ones in `make fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 0)


def fuzzing(default_examples: int) -> settings:
    """Return the settings of a fuzzer: the default number of examples, or the number of `make fuzz`."""
    return settings(
        max_examples=EXAMPLES or default_examples,
        derandomize=not EXAMPLES,
        phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
