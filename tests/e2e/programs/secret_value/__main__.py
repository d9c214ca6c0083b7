"""A program that passes a secret to a resource."""

import os

import pulumi

from tenantry.providers import Group

secret = pulumi.Output.secret(os.environ["SECRET"])
Group("one", tenant="x1y2z3.eu.qlikcloud.com", name="One", provider_type="custom", description=secret)
