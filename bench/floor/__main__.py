"""As many resources as the stack's configuration says, which do nothing."""

import pulumi
from trivial import Nothing

for number in range(pulumi.Config().require_int("resources")):
    Nothing(f"nothing-{number}")
