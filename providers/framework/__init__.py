"""What all resource types share.

```
resource.py    the base class that a program uses       properties.py  their properties, each stated once
adapter.py     between Pulumi's engine and handlers     engine.py      clean errors, an end in time
handlers.py    CRUD handlers of plain collections       keyless.py     of one without a natural key
singleton.py   of settings of which there is one set    listings.py    lists that a refresh reads once
run.py         what this run has done so far            stack.py       what the state of the stack holds
moves.py       names that move between resources        notes.py       notes on this disk of what was asked
evidence.py    when an object counts as gone            waiting.py     waiting, with a bound
errors.py      what can go wrong                        facts.py       facts told to programs
loader.py      what states name                         formats.py     the format of states
```
"""
