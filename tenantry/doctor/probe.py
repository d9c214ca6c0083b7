"""The program of a scratch project: it records which Python and which Tenantry `pulumi` runs.

`tenantry.doctor.processes` copies this file into a folder as `__main__.py`. The program writes
`program.json` beside itself, and the provider process writes `provider.json`.
"""

import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, Resource, ResourceProvider


def look() -> dict[str, str]:
    """Return the interpreter of this process, and the Tenantry that it imports."""
    found = {"python": sys.executable, "prefix": sys.prefix, "pulumi": version("pulumi")}
    try:
        import tenantry

        found["tenantry"] = str(Path(str(tenantry.__file__)).resolve().parent)
        found["version"] = version("tenantry")
    except (ImportError, PackageNotFoundError) as error:
        found["missing"] = str(error)
    return found


class Probe(ResourceProvider):
    """A provider that records its interpreter and its Tenantry."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Write the file whose path the program passed."""
        Path(news["file"]).write_text(json.dumps(look()), "utf-8")
        return CheckResult(news, [])


class ProbeResource(Resource):
    """A resource that exists only in this preview."""


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    (here / "program.json").write_text(json.dumps(look()), "utf-8")
    ProbeResource(Probe(), "probe", {"file": str(here / "provider.json")}, pulumi.ResourceOptions())
