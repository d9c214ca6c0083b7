"""The new files of a resource type that Qlik does not have, for the recipe in docs/architecture.md.

The test copies the tree, adds these files and the lines of the recipe, and uses the resource type there.
"""
