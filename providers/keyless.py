"""Collections at Qlik whose POST has no key that would refuse a second object."""

from __future__ import annotations

from typing import Any

from providers import run
from providers.intents import Intent
from providers.qlik import Cloud, Host, NotFound, QlikError
from providers.verbs import Collection, Properties
from providers.waiting import lag_seconds, wait

Found = dict[str, Any]


class Keyless(Collection):
    """Looks for the object before it is made, and keeps a note on disk of having asked for it.

    `lookup` finds it by its natural key. The note says which of several it is, or that the list may still
    have to show it. It never outweighs the key: another entry of the state may have the object by now.
    """

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Take over what is there, or POST; if the answer is lost, look for what it may have made."""
        host = self.host(cloud, want)
        intent = Intent(self.kind.__name__)
        there = None
        if intent.earlier or host.hostname not in run.current().new_tenants:
            there = self._left_behind(cloud, host, want, intent) or self.lookup(host, want)
        if there is None:
            try:
                with intent.sending():
                    made = host.post(self.path.format(**want), self.body(cloud, host, want))
            except QlikError as error:
                there = self._made_after_all(cloud, host, want, error)
                if there is None:
                    raise
            else:
                intent.finish(id=made["id"])
                return made["id"], self.decode(made)
        live = self.take_over(cloud, host, there, want)
        intent.finish(id=there["id"])
        return there["id"], live

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Return what is POSTed."""
        return self.encode(want)

    def may_be_there(self, error: QlikError) -> bool:
        """Whether a failed POST may mean that there is such an object."""
        return error.may_be_done

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the object and forget its note."""
        super().delete(cloud, id, have)
        Intent(self.kind.__name__).clear()

    def _left_behind(self, cloud: Cloud, host: Host, want: Properties, intent: Intent) -> Found | None:
        """Return the object that an earlier run of ours made, if there was one; wait for it to be listed."""
        if intent.earlier is None:
            return None
        if "id" not in intent.earlier:
            what = f"{self.label(want, 'made')}, which an earlier run asked for"
            return wait(cloud, lambda: self.lookup(host, want), what, lag_seconds())
        try:
            found: Found = host.get(self.member(intent.earlier["id"], want))
        except NotFound:
            return None
        have = want | self.decode(found)
        return found if all(have[name] == want[name] for name in self.natural_key) else None

    def _made_after_all(self, cloud: Cloud, host: Host, want: Properties, error: QlikError) -> Found | None:
        if not self.may_be_there(error):
            return None
        seconds = lag_seconds() if error.may_be_done else 0
        what = f"{self.label(want, 'made')}, whose answer was lost"
        return wait(cloud, lambda: self.lookup(host, want), what, seconds)
