"""The comparison of Qlik with the states of all stacks, and the locks that killed runs left behind.

```
backends.py   the stacks of the backend
holdings.py   the content of each state that an audit needs     → Holding
tenants.py    the comparison of all tenants with the holdings   → Finding
licences.py   licences that end soon                            → Finding
leftovers.py  apps that an interrupted import left behind       → LeftOver
audit.py      the whole audit                                   → Audit
locks.py      the locks of a stack                              → Lock
processes.py  the process of a lock, if it still runs
unlocking.py  the locks that may be cleared, and the next steps → Verdict
```

An audit sends only reads. Each app is checked again before it is deleted.
"""
