"""What a forked child does for a language host: it runs the program of a project.

Imports are inside: the process that makes the call needs the function's name alone, and nothing of the SDK.
"""

from __future__ import annotations


def run(handshake: bytes, request: bytes) -> bytes:
    """Run the program that the engine asks for, and return the answer.

    `handshake` is what the engine has said of itself, `request` its RunRequest, the answer a RunResponse.
    """
    from tenantry.pulumi_cli.language_host import answer
    from tenantry.pulumi_internals.language_hosts import drop_debug_messages, engine_of, streams_to

    engine = engine_of(handshake)
    drop_debug_messages()
    with streams_to(engine):
        return answer(engine, request)
