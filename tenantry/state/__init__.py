"""The states of stacks: where they are kept, what they hold, and how one forgets its tenant."""
