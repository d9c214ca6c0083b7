"""A resource type that Qlik does not have, as docs/architecture.md says to add one: the new files.

The test puts them into a copy of the tree, with the lines of the recipe, and uses the type there.
"""
