"""Notifications of a run: to a webhook, to Slack, to Microsoft Teams.

| module | what is in it |
|---|---|
| `targets` | where to: the address, and in which form |
| `events` | what is told: begun, failed, drifted, stopped, ended, trials |
| `forms` | an event as each of the targets takes it |
| `delivery` | the requests, in the background and within bounds |
| `notifier` | the follower of a run that puts it all together |
"""

from __future__ import annotations

from tenantry.fleet.notify.notifier import Notifier as Notifier
from tenantry.fleet.notify.targets import Target as Target
from tenantry.fleet.notify.targets import UnusableTarget as UnusableTarget
