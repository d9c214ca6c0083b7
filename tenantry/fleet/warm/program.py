"""The run of a project's program in a forked child of a language host.

The imports are inside the function, because the calling process needs only its name and not the SDK.
"""

from __future__ import annotations


def run(handshake: bytes, request: bytes) -> bytes:
    """Run the program that the engine requests, and return the response.

    `handshake` is the engine's description of itself, `request` a RunRequest. The result is a RunResponse.
    """
    from tenantry.pulumi_cli.language_host import respond
    from tenantry.pulumi_internals.language_hosts import drop_debug_messages, engine_of, streams_to

    engine = engine_of(handshake)
    drop_debug_messages()
    with streams_to(engine):
        return respond(engine, request)
