"""A dynamic resource that does nothing, the way the SDK's documentation shows it."""

from typing import Any

from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class NothingProvider(ResourceProvider):
    """Makes nothing."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Return an id and what came in."""
        return CreateResult("nothing", props)


class Nothing(Resource):
    """Nothing, with five properties."""

    def __init__(self, name: str) -> None:
        super().__init__(NothingProvider(), name, {f"property_{n}": "value" for n in range(5)})
