"""Many customers: the stacks of a project are selected, handed to `pulumi`, waited for and reported.

`select` says which stacks a run is about, `Job` is the work on one of them and `Outcome` what became of it:
plain data, so that the work can be done by threads here or by machines elsewhere (`concurrent.futures`).
"""
