"""States of released versions, and what a later version does with them."""
