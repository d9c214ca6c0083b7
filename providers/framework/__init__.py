"""The code that all resource types share.

```
resource.py    the base class for programs              properties.py  the declaration of properties
adapter.py     between Pulumi's engine and handlers     engine.py      errors and time limits of calls
handlers.py    CRUD handlers of plain collections       keyless.py     collections without unique keys
archived.py    themes and extensions                    singleton.py   settings of a tenant
run.py         the actions of this run so far           stack.py       the content of the stack's state
moves.py       names that move between resources        notes.py       notes on disk about requests
evidence.py    the proof that an object is gone         waiting.py     waiting, with a time limit
errors.py      the errors                               facts.py       facts for programs
loader.py      the function that states name            formats.py     the format of states
listings.py    lists that a refresh reads once
```
"""
