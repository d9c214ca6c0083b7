"""What makes a resource a dynamic one: its type, and the provider in its `__provider`.

Relies on: a type that begins with `pulumi-python:dynamic` goes to the SDK's provider process. That turns the
property `__provider`, Base64 of a pickle, back into a provider, once for each string that it meets: check
and diff of a resource are answered by the same instance. Outputs must have that property, too.

Seen to hold: SDK 3.272.0, CLI 3.259.0.

When it breaks: no resource can be made, read, changed or deleted any more. Stay with the former SDK. All of
this is in every state, so whatever comes instead must still read it.
"""

from __future__ import annotations

import base64
import pickle

PROVIDER_KEY = "__provider"

TYPES = "pulumi-python:dynamic"
"""How the type of each dynamic resource begins."""


def encoded(provider: object) -> str:
    """Return the string that the provider process makes the provider of.

    It is made here rather than by the SDK, whose choice of pickle protocol changes with the version of
    Python: a changed string would be a change of every resource.
    """
    return base64.b64encode(pickle.dumps(provider, protocol=4)).decode()
