"""The right to ask Qlik for one tenant, once.

Asking for a tenant has no key, so a second request makes a second tenant. A permit goes with the proof that
the state holds (`tenantry.providers.tenant_proof`), lives in the process that made the proof and nowhere
else, and is spent before the request is sent. So there is at most one request per proof, whatever is killed,
lost or copied.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tenantry.providers.qlik import Cloud

LIFE = 300.0
"""Seconds that a permit is good for. The request follows the proof at once; what takes time is waiting for
a rate limit to lift. It must end, or a run that was suspended could ask long after another has found that
nothing was made.
"""


@dataclass(frozen=True)
class Permit:
    """A permit: the licence key that the tenant is made under, and when it was issued by two clocks."""

    licence_key: str = field(repr=False)
    monotonic: float = 0.0
    wall: float = 0.0

    def remaining(self, cloud: Cloud) -> float:
        """Seconds for which it is still good: by the clock that went further, as one of them stops in
        sleep.
        """
        gone = max(cloud.clock.monotonic() - self.monotonic, abs(cloud.clock.time() - self.wall))
        return LIFE - gone


_permits: dict[str, Permit] = {}
_lock = threading.Lock()


def issue(cloud: Cloud, proof: str, licence_key: str) -> None:
    """Issue the permit of a proof that was made just now."""
    with _lock:
        _permits[proof] = Permit(licence_key, cloud.clock.monotonic(), cloud.clock.time())


def take(proof: str) -> Permit | None:
    """Return the permit of a proof and forget it; None if this process has issued none, or it was taken."""
    with _lock:
        return _permits.pop(proof, None)
