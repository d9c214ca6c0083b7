"""Create resources that do nothing. The stack's configuration gives their number."""

import pulumi
from trivial import Nothing

for number in range(pulumi.Config().require_int("resources")):
    Nothing(f"nothing-{number}")
