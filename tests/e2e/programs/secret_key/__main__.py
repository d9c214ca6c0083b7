"""A program that passes a private key instead of the public one."""

import os

from tenantry.providers import JwtIdentityProvider

pem = os.environ["SIGNING_KEY"]
JwtIdentityProvider("signer", tenant="x1y2z3.eu.qlikcloud.com", issuer="us", kid="one", pem=pem)
