"""Tools around the product: set-up, packages, releases and generated pages."""
