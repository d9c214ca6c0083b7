"""Notifications about a run, to a webhook, to Slack or to Microsoft Teams.

| module | content |
|---|---|
| `targets` | the addresses, and their formats |
| `events` | the events: begun, failed, drifted, stopped, ended, trials |
| `forms` | an event in the format of each target |
| `delivery` | the requests, in the background and with limits |
| `notifier` | the follower of a run that connects all of these |
"""

from __future__ import annotations

from tenantry.fleet.notify.notifier import Notifier as Notifier
from tenantry.fleet.notify.targets import Target as Target
from tenantry.fleet.notify.targets import UnusableTarget as UnusableTarget
