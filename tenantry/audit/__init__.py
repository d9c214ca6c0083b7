"""What is at Qlik against what the states say, and locks that nobody holds any more.

```
backends.py   which backend it is, and which stacks it has
holdings.py   what the state of each stack holds          → Holding
tenants.py    the organisation's tenants against these    → Finding
licences.py   licences that end soon                      → Finding
leftovers.py  apps that an interrupted import left        → LeftOver
look.py       all of it, in one look                      → Audit
locks.py      the locks of a stack                        → Lock
unlocking.py  which of them may be cleared, and what a cleared stack has to say
```

A look sends reads only. What is removed afterwards is looked at once more first.
"""
