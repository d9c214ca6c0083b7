"""States of released versions, and tests of the current version with them."""
