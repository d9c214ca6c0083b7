"""Finds the stacks that a run would not change, without the engine.

The program of a stack runs in a forked process, and what it registers is held against the state: types,
names, parents, inputs after the provider's check, dependencies, options, outputs. A stack is the same only if
the engine would do nothing and say nothing. Whatever is in doubt goes to the engine.

    lookup.py       a stack → the number of resources that stay, or None, and then the engine looks
    passphrases.py  whether the passphrase is that of the stacks
    files.py        what the stack file, Pulumi.yaml and the state must say for a stack to be compared
    recorded.py     what a state holds, resource by resource
    secrets.py      secrets, which are compared without their plain text
    remembered.py   which of them the last `up` has put into the state
    program.py      what the program registers, held against that
"""
