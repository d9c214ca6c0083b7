"""Everything around the product: set-up, the demo, and the pages that are generated."""
