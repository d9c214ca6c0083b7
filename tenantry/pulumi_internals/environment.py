"""Environment variables of the engine that its documentation does not promise.

Relies on:

PULUMI_DEBUG_COMMANDS                          without it there is no `--event-log`
PULUMI_SKIP_CHECKPOINTS                        the state is written once per command, at its end
PULUMI_EXPERIMENTAL                            older ones asked for it with the former; 3.259.0 does without
PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS  no copy is kept of each state
PULUMI_DIY_BACKEND_NO_LEGACY_WARNING           nothing is said of files of an older layout
PULUMI_PYTHON_CMD                              the Python that the provider process runs in
PULUMI_OPTION_REFRESH                          `--refresh`, and so for each option of a command

Seen to hold: CLI 3.259.0.

When it breaks: without an event log no run of `tenantry` ends well. A scratch backend is slower and keeps
copies, no more. Were the state skipped by another variable, a proof would not be saved before its tenant.
"""

from __future__ import annotations

from collections.abc import Mapping

EVENT_LOG = {"PULUMI_DEBUG_COMMANDS": "true"}
"""What makes `--event-log` an option."""

SKIP_CHECKPOINTS = "PULUMI_SKIP_CHECKPOINTS"

ONE_CHECKPOINT = {"PULUMI_EXPERIMENTAL": "true", SKIP_CHECKPOINTS: "true"}
"""What makes a command write the state once: what a killed one did is lost."""

NO_BACKUPS = {"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true"}

NO_LEGACY_WARNING = {"PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "true"}

PYTHON_COMMAND = "PULUMI_PYTHON_CMD"

OPTIONS = "PULUMI_OPTION_"
"""How the variables begin that are options of each `pulumi` command."""

REFRESH = f"{OPTIONS}REFRESH"


def checkpoints_are_skipped(environment: Mapping[str, str]) -> bool:
    """Tell whether the engine may save nothing before the end of a run."""
    return environment.get(SKIP_CHECKPOINTS, "").casefold() not in ("", "0", "false")
