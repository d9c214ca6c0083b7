"""The result of one `pulumi` command, with properties that tests can compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

REPLACEMENT_STEPS = ("create-replacement", "delete-replaced")


@dataclass(frozen=True)
class Result:
    """Exit code, output, the engine's events, and the emulator's requests during the command.

    Resources are named by type and name, such as "Space Sales". All properties exclude the stack itself and
    the default provider, which the engine adds to every program.
    """

    args: list[str]
    rc: int
    stdout: str
    stderr: str
    events: list[dict[str, Any]] = field(repr=False)
    requests: list[dict[str, Any]]
    seconds: float

    @property
    def output(self) -> str:
        """The whole output."""
        return self.stdout + self.stderr

    @property
    def operations(self) -> list[tuple[str, str]]:
        """Every step as (operation, resource), in the order in which the steps started."""
        return [(step["op"], short_name(step["urn"])) for step in self._steps()]

    @property
    def changes(self) -> dict[str, list[str] | int]:
        """Sorted resources by operation. For unchanged resources, the value is only their number.

        A replacement appears once, as "replace". Its two steps are in `operations`. For a refresh, the keys
        are its findings: "update", "delete" or "same".
        """
        by_operation: dict[str, list[str]] = {}
        for operation, name in self.operations:
            if operation not in REPLACEMENT_STEPS:
                by_operation.setdefault(operation, []).append(name)
        same = by_operation.pop("same", [])
        changes: dict[str, list[str] | int] = {key: sorted(names) for key, names in by_operation.items()}
        return {**changes, "same": len(same)} if same else changes

    @property
    def diffs(self) -> dict[str, dict[str, str]]:
        """Property path -> kind ("update", "add", "delete-replace", …) for each resource that differs."""
        return {
            short_name(step["urn"]): {path: diff["diffKind"] for path, diff in step["detailedDiff"].items()}
            for step in self._steps()
            if step.get("detailedDiff")
        }

    @property
    def failed(self) -> list[str]:
        """The resources whose step failed, sorted."""
        return sorted({short_name(event["metadata"]["urn"]) for event in self._events_of("resOpFailedEvent")})

    @property
    def messages(self) -> list[str]:
        """The stripped errors, warnings and remarks of the engine, the program and the providers."""
        events = [event for event in self._events_of("diagnosticEvent") if event["severity"] != "debug"]
        return [event["message"].strip() for event in events if not event.get("ephemeral")]

    @property
    def errors(self) -> list[str]:
        """The error messages, stripped."""
        return [
            event["message"].strip()
            for event in self._events_of("diagnosticEvent")
            if event["severity"] == "error"
        ]

    def __str__(self) -> str:
        requests = "".join(f"    {request}\n" for request in self.requests)
        return (
            f"$ pulumi {' '.join(self.args)}    (exit code {self.rc}, {self.seconds:.1f} s)\n{self.output}"
            + (f"requests:\n{requests}" if requests else "")
        )

    def _events_of(self, event_type: str) -> Iterator[dict[str, Any]]:
        return (event[event_type] for event in self.events if event_type in event)

    def _steps(self) -> list[dict[str, Any]]:
        """Return the metadata of each step. A refresh reports its findings only at the end of a step."""
        finished = {
            event["metadata"]["urn"]: event["metadata"] for event in self._events_of("resOutputsEvent")
        }
        started = [event["metadata"] for event in self._events_of("resourcePreEvent")]
        steps = [finished.get(step["urn"], step) if step["op"] == "refresh" else step for step in started]
        return [step for step in steps if not is_added_by_engine(step["urn"])]


def short_name(urn: str) -> str:
    """Return the type and name of a resource, such as "Space Sales", from its URN."""
    resource_type, name = urn.split("::", 3)[2:]
    return f"{resource_type.rpartition('$')[2].rpartition(':')[2]} {name}"


def is_added_by_engine(urn: str) -> bool:
    """Tell whether a URN belongs to the stack itself or to a default provider."""
    return urn.split("::", 3)[2].rpartition("$")[2].startswith(("pulumi:pulumi:Stack", "pulumi:providers:"))
