"""The objects that serve requests. Exchanges and the control API share one of each."""

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
class Services:
    """The state, and the objects that handle each request."""

    world: World
    contract: Contract
    log: RequestLog
    faults: Faults
    agenda: Agenda
    limits: Limits

    @classmethod
    def of(cls, world: World) -> Self:
        """Create the services for a world."""
        return cls(world, contract(), RequestLog(world.store), Faults(), Agenda(world.clock), Limits(world))
