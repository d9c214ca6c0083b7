"""The order between the replacement of spaces and the import of apps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from tenantry.providers import Space, Tenant


def wait_for_spaces(tenant: Tenant, run: str, spaces: Iterable[Space]) -> pulumi.Output[list[Space]]:
    """Wait until no space can be replaced any more. Return the spaces that failed.

    A space whose type changes is replaced. Pulumi first deletes the staged app in it, then the space. The
    file may give the app another staging space at the same time. Then nothing else makes the app wait, and
    Pulumi imports the app while it deletes it, so that the state has the app twice. Only the state knows
    where the app was, and its former space may be a managed one by now. So the app waits for all spaces.

    A tenant that this `run` of the program creates has no space to replace. So its apps do not wait, because
    a space with an owner takes longer.

    The result is usually empty, so that the first run and later runs record the same dependencies. It
    contains a space that failed, so that the engine skips the app.
    """

    async def failed_spaces() -> list[Space]:
        if await tenant.created_by_run.future() == run:
            return []
        for space in spaces:
            await space.urn.future()
        return [space for space in spaces if not await space.id.is_known()]

    return pulumi.Output.from_input(failed_spaces())
