"""Environment variables of the engine that its documentation does not promise.

Relies on:

PULUMI_DEBUG_COMMANDS                          enables the option `--event-log`
PULUMI_SKIP_CHECKPOINTS                        writes the state once per command, at its end
PULUMI_EXPERIMENTAL                            older versions need it for PULUMI_SKIP_CHECKPOINTS
PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS  keeps no copy of each state
PULUMI_DIY_BACKEND_NO_LEGACY_WARNING           no warning about files of an older layout
PULUMI_PYTHON_CMD                              the Python of the provider process
PULUMI_OPTION_REFRESH                          `--refresh`; other options have such variables too

Verified with: CLI 3.259.0.

When it breaks: without an event log every run of `tenantry` fails. A scratch backend only gets slower and
keeps copies. If another variable disabled checkpoints, a proof would not be saved before its tenant.
"""

from __future__ import annotations

from collections.abc import Mapping

EVENT_LOG = {"PULUMI_DEBUG_COMMANDS": "true"}
"""Enables the option `--event-log`."""

SKIP_CHECKPOINTS = "PULUMI_SKIP_CHECKPOINTS"

ONE_CHECKPOINT = {"PULUMI_EXPERIMENTAL": "true", SKIP_CHECKPOINTS: "true"}
"""Makes a command write the state only once. A killed command then loses what it did."""

NO_BACKUPS = {"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true"}

NO_LEGACY_WARNING = {"PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "true"}

PYTHON_COMMAND = "PULUMI_PYTHON_CMD"

OPTIONS = "PULUMI_OPTION_"
"""The prefix of variables that set options of `pulumi` commands."""

REFRESH = f"{OPTIONS}REFRESH"


def checkpoints_are_skipped(environment: Mapping[str, str]) -> bool:
    """Tell whether the engine may skip saving the state during a run."""
    return environment.get(SKIP_CHECKPOINTS, "").casefold() not in ("", "0", "false")
