"""A search for the stacks that a run would not change, without the engine.

The program of a stack runs in a forked process. Everything that it registers is compared with the state:
types, names, parents, inputs after the provider's check, dependencies, options, outputs. A stack is unchanged
only if the engine would do nothing and print nothing. In case of doubt, the engine decides.

    lookup.py       the number of unchanged resources of a stack, or None if the engine decides
    passphrases.py  the check that the passphrase fits the stacks
    files.py        the conditions for the stack file, Pulumi.yaml and the state
    recorded.py     the content of a state, resource by resource
    secrets.py      the comparison of secrets without their plain text
    remembered.py   the secrets that the last `up` has put into the state
    program.py      the comparison of the program with the state
"""
