"""A small fleet. The folder `golden` contains its expected manifests.

After an intended change, `python -m tests.fleet.kubernetes.golden` writes them again.
"""

from __future__ import annotations

from pathlib import Path

from tenantry.fleet.kubernetes.folder import write
from tenantry.fleet.kubernetes.manifests import Setup, Source, manifests
from tenantry.fleet.members import Member

FOLDER = Path(__file__).parent / "golden"

MEMBERS = [
    Member(stack, Path(f"stacks/Pulumi.{stack}.yaml"), ring=ring)
    for stack, ring in (
        ("Acme.EU", "broad"),
        ("globex", "pilot"),
        ("initech", "pilot"),
        ("umbrella", "broad"),
    )
]
SETUP = Setup(
    Source(
        "ssh://git@git.example/oem/tenants.git",
        commit="12e4567890123456789012345678901234567890",  # YAML reads this as a number unless it is quoted
        folder="qlik",
        secret="git",
    ),
    namespace="oem",
    service_account="tenantry",
    secret="tenantry",
    secrets=("QLIK_CLIENT_ID", "QLIK_CLIENT_SECRET", "PULUMI_CONFIG_PASSPHRASE"),
    values={"AWS_REGION": "eu-central-1"},
    backend="s3://oem-pulumi-state",
    image="registry.example/tenants:1e3",
    refresh=True,
    resync=True,
    seconds=86400,
    overlay={"retryMaxBackoffDurationSeconds": 600, "workspaceTemplate": {"spec": {"pulumiLogLevel": 3}}},
)


def files() -> dict[str, str]:
    """Return the manifests of the fleet by path."""
    return manifests(MEMBERS, "tenants", SETUP)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    print("\n".join(write(FOLDER, files())))
