"""The right to request one tenant, once.

The request has no idempotency key, so a second request creates a second tenant. A permit belongs to the proof
in the state (`tenantry.providers.tenant_proof`). It exists only in the process that created the proof, and is
used up before the request is sent. So there is at most one request per proof, even if runs are killed,
responses lost or states copied.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tenantry.providers.qlik import Cloud

PERMIT_SECONDS = 300.0
"""The time for which a permit is valid.

The request follows the proof immediately, unless it waits for a rate limit. Without a limit, a suspended run
could send its request long after another run found that no tenant exists.
"""


@dataclass(frozen=True)
class Permit:
    """A permit: the licence key for the tenant, and the time of issue by two clocks."""

    licence_key: str = field(repr=False)
    monotonic: float = 0.0
    wall: float = 0.0

    def remaining(self, cloud: Cloud) -> float:
        """Return the seconds for which the permit is still valid.

        The clock that moved further counts, because one of the two stops while the machine sleeps.
        """
        elapsed = max(cloud.clock.monotonic() - self.monotonic, abs(cloud.clock.time() - self.wall))
        return PERMIT_SECONDS - elapsed


_permits: dict[str, Permit] = {}
_lock = threading.Lock()


def issue(cloud: Cloud, proof: str, licence_key: str) -> None:
    """Issue the permit of a proof that was just created."""
    with _lock:
        _permits[proof] = Permit(licence_key, cloud.clock.monotonic(), cloud.clock.time())


def take(proof: str) -> Permit | None:
    """Return the permit of a proof and forget it. None if this process issued none, or it was taken."""
    with _lock:
        return _permits.pop(proof, None)
