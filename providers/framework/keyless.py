"""Collections at Qlik that accept several objects with the same key."""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework import moves, run
from tenantry.providers.framework.errors import Ambiguous, HeldByAnother
from tenantry.providers.framework.handlers import Collection, Properties, is_created_by_us
from tenantry.providers.framework.notes import Note, current_note
from tenantry.providers.framework.waiting import late_seconds, wait
from tenantry.providers.qlik import Cloud, Host, QlikError

Found = dict[str, Any]


class Keyless(Collection):
    """A collection that searches for the object before it creates one, and keeps a note of its request.

    `candidates` finds objects by their natural key. Those that another resource of the stack manages do not
    count. A note means that Qlik's list may show the object later.
    """

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Take over an existing object, or POST. If the response is lost, search for the object."""
        host = self.host(cloud, want)
        note = current_note(host.hostname, self.resource_type.__name__)
        existing, unseen = None, note.is_unanswered
        if note.earlier or host.hostname not in run.current().new_tenants:
            existing = self._left_behind(cloud, host, want, note)
        if existing is None:
            try:
                with note.sending():
                    created = self.make(cloud, host, want)
            except QlikError as error:
                existing = self._created_after_all(cloud, host, want, error)
                if existing is None:
                    raise
                unseen = True
            else:
                note.finish(id=created[self.id_name])
                return created[self.id_name], self.decode(created)
        if unseen and not want.get("adopt"):
            self.after_lost_response(host, existing, want)
        live = self.take_over(cloud, host, existing, want)
        note.finish(id=existing[self.id_name])
        return existing[self.id_name], live

    def after_lost_response(self, host: Host, existing: Found, want: Properties) -> None:
        """Clean up after a lost response, before the object is taken over."""

    def make(self, cloud: Cloud, host: Host, want: Properties) -> Found:
        """POST the object. Return the response."""
        created: Found = host.post(self.path.format(**want), self.body(cloud, host, want))
        return created

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Return the body of the POST."""
        return self.encode(want)

    def may_be_there(self, error: QlikError) -> bool:
        """Tell whether the object may exist after a failed POST."""
        return error.may_be_done

    def candidates(self, host: Host, want: Properties) -> list[Found]:
        """Return the objects with the requested natural key."""
        raise NotImplementedError

    def choose(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Return the object to take over from `found`. No other resource of the stack manages any of them."""
        return found[0] if found else None

    def only_ours(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Return the only object in `found`. If there are several, return the one that this client created.

        Raises Ambiguous if this client created none or several of them.
        """
        if len(found) <= 1:
            return found[0] if found else None
        ours = [candidate for candidate in found if is_created_by_us(host, candidate.get(self.maker))]
        if len(ours) != 1:
            ids = [candidate[self.id_name] for candidate in found]
            raise Ambiguous(self.label(want, ""), host.hostname, ids)
        return ours[0]

    def shares_key(self) -> bool:
        """Tell whether two objects may have the same natural key."""
        return True

    def lookup(self, host: Host, want: Properties) -> Found | None:
        """Return the object to take over. Raises HeldByAnother, HolderUnknown."""
        free = []
        for candidate in self.candidates(host, want):
            label = self.label(want, candidate[self.id_name])
            holder = moves.holder(self.resource_type.__name__, label, host, candidate[self.id_name])
            if not holder:
                free.append(candidate)
            elif not self.shares_key():
                raise HeldByAnother(label, host.hostname, candidate[self.id_name], holder)
        return self.choose(host, want, free)

    def other(self, host: Host, id: str, want: Properties) -> Found | None:
        """Return the first other object with the key, even if a resource of the stack manages it."""
        found = self.candidates(host, want)
        return next((candidate for candidate in found if candidate[self.id_name] != id), None)

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the object and forget its note."""
        super().delete(cloud, id, have)
        current_note(have["tenant"], self.resource_type.__name__).clear()

    def _left_behind(self, cloud: Cloud, host: Host, want: Properties, note: Note) -> Found | None:
        """Return the existing object. If an earlier run requested it, wait until Qlik's list shows it."""
        if note.earlier is None:
            return self.lookup(host, want)
        if noted := note.earlier.get("id"):
            candidates = self.candidates(host, want)
            found = next((candidate for candidate in candidates if candidate[self.id_name] == noted), None)
            is_free = found and not moves.holder(
                self.resource_type.__name__, self.label(want, noted), host, noted
            )
            return found if is_free else self.lookup(host, want)
        what = f"{self.label(want, '')}, which an earlier run requested"
        return wait(cloud, lambda: self.lookup(host, want), what, late_seconds(note.age()))

    def _created_after_all(
        self, cloud: Cloud, host: Host, want: Properties, error: QlikError
    ) -> Found | None:
        if not self.may_be_there(error):
            return None
        seconds = late_seconds() if error.may_be_done else 0
        what = f"{self.label(want, '')}, whose response was lost"
        return wait(cloud, lambda: self.lookup(host, want), what, seconds)


class Named(Keyless):
    """A collection whose objects Tenantry identifies by name, although Qlik allows the same name twice."""

    natural_key = ("tenant", "name")

    def candidates(self, host: Host, want: Properties) -> list[Found]:
        """Return the objects with the requested name."""
        return [found for found in self.listed(host, want) if found["name"] == want["name"]]

    def choose(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Return the only object in `found`. Of several, return the one that this client created."""
        return self.only_ours(host, want, found)
