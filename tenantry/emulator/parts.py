"""What serves the requests: one of each, shared by the exchanges and the control API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tenantry.emulator.agenda import Agenda
from tenantry.emulator.contract import Contract, contract
from tenantry.emulator.faults import Faults
from tenantry.emulator.limits import Limits
from tenantry.emulator.log import RequestLog
from tenantry.emulator.world import World


@dataclass(frozen=True)
class Parts:
    """The state and what decides on each request."""

    world: World
    contract: Contract
    log: RequestLog
    faults: Faults
    agenda: Agenda
    limits: Limits

    @classmethod
    def of(cls, world: World) -> Self:
        """Return the parts that serve a world."""
        return cls(world, contract(), RequestLog(world.store), Faults(), Agenda(world.clock), Limits(world))
