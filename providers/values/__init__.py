"""Limits and checks of values. The resources and the checks of the stack files share them."""
