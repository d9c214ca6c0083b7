"""The marks of a dynamic resource: its type, and the provider in its `__provider`.

Relies on: the SDK's provider process handles types that start with `pulumi-python:dynamic`. It decodes the
property `__provider`, a pickle in Base64, into a provider, once per distinct string. So the same instance
runs check and diff of a resource. Outputs must have this property too.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: no resource can be created, read, updated or deleted. Stay with the former SDK. Every state
has these values, so a replacement must still read them.
"""

from __future__ import annotations

import base64
import pickle

PROVIDER_KEY = "__provider"

TYPES = "pulumi-python:dynamic"
"""The prefix of the type of each dynamic resource."""


def encoded(provider: object) -> str:
    """Return the string from which the provider process creates the provider.

    The SDK's own encoding depends on the Python version. A different string would change every resource, so
    the pickle protocol is fixed here.
    """
    return base64.b64encode(pickle.dumps(provider, protocol=4)).decode()
