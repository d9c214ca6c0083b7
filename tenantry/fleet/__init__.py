"""Runs over many customers: select the stacks of a project, run `pulumi` for each of them, and report.

`select` chooses the stacks of a run. A `Job` is the work on one stack, an `Outcome` is its result. Both are
plain data: threads on this machine or workers elsewhere can do the work (`concurrent.futures`).
"""
