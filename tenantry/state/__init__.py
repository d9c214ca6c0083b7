"""The states of stacks: reading, replacing and renaming them, and removing a tenant from one."""
