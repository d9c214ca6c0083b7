"""The Qlik host that a request is for, read from its Host header."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

DOMAIN = "qlikcloud.com"

DATACENTERS = {
    "us": ("us-east-1", "US"),
    "eu": ("eu-west-1", "IE"),
    "uk": ("eu-west-2", "GB"),
    "de": ("eu-central-1", "DE"),
    "jp": ("ap-northeast-1", "JP"),
    "ap": ("ap-southeast-1", "AU"),
    "sg": ("ap-southeast-2", "SG"),
}
"""Region -> (datacenter, country), with the published labels (contract: tenants, `datacenter`)."""

Kind = Literal["tenant", "register", "console", "loopback", "unknown"]


@dataclass(frozen=True)
class Host:
    """One host name.

    Attributes:
        name: lower case, without the port.
        kind: `loopback` is the emulator itself, which serves only the control API.
        region: `eu`, `us`, ...; empty for the console and the emulator itself.
    """

    name: str
    kind: Kind
    region: str = ""

    @classmethod
    def parse(cls, header: str) -> Host:
        """Read a Host header, such as `acme.eu.qlikcloud.com:443`."""
        name = header.strip().lower()
        name = name[1 : name.find("]")] if name.startswith("[") else name.partition(":")[0]
        if name == "localhost" or _is_loopback_address(name):
            return cls(name, "loopback")
        if name == f"console.{DOMAIN}":
            return cls(name, "console")
        label, _, rest = name.partition(".")
        region, _, domain = rest.partition(".")
        if domain != DOMAIN or region not in DATACENTERS:
            return cls(name, "unknown")
        return cls(name, "register" if label == "register" else "tenant", region)


def _is_loopback_address(name: str) -> bool:
    # A check of the first digits is not enough: anybody can register a name such as 127.example.
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
