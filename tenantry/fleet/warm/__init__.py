"""Processes that are kept from one stack to the next, as starting them is most of what a preview costs.

`providers` keeps provider processes that the engine attaches to. `forks` keeps a process that has imported
what a program imports, and forks a child of it for each call.
"""
