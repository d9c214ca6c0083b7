"""The comparison of Qlik with the states of all stacks, and the locks that killed runs left behind.

```
backends.py   the stacks of the backend
holdings.py   what the state of each stack holds                → Holding
tenants.py    compares the organisation's tenants with these    → Finding
licences.py   licences that end soon                            → Finding
leftovers.py  apps that an interrupted import left behind       → LeftOver
audit.py      the whole audit                                   → Audit
locks.py      the locks of a stack                              → Lock
unlocking.py  which locks may be cleared, and what to do next
```

An audit sends only reads. Before something is deleted afterwards, it is checked again.
"""
