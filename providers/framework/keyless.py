"""Collections at Qlik whose POST has no key that would refuse a second object."""

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
    """Looks for the object before it is made, and keeps a note on disk of having asked for it.

    `candidates` finds it by its natural key. What another resource of the stack holds is none. The note
    says that the list may still have to show it.
    """

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Take over what is there, or POST; if the answer is lost, look for what it may have made."""
        host = self.host(cloud, want)
        note = current_note(host.hostname, self.resource_type.__name__)
        there, unseen = None, note.unanswered
        if note.earlier or host.hostname not in run.current().new_tenants:
            there = self._left_behind(cloud, host, want, note)
        if there is None:
            try:
                with note.sending():
                    made = self.make(cloud, host, want)
            except QlikError as error:
                there = self._made_after_all(cloud, host, want, error)
                if there is None:
                    raise
                unseen = True
            else:
                note.finish(id=made[self.id_name])
                return made[self.id_name], self.decode(made)
        if unseen and not want.get("adopt"):
            self.answer_was_lost(host, there, want)
        live = self.take_over(cloud, host, there, want)
        note.finish(id=there[self.id_name])
        return there[self.id_name], live

    def answer_was_lost(self, host: Host, there: Found, want: Properties) -> None:
        """Clear up what an answer that nobody saw has left, before the object is taken over."""

    def make(self, cloud: Cloud, host: Host, want: Properties) -> Found:
        """POST the object; return the answer."""
        made: Found = host.post(self.path.format(**want), self.body(cloud, host, want))
        return made

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Return what is POSTed."""
        return self.encode(want)

    def may_be_there(self, error: QlikError) -> bool:
        """Whether a failed POST may mean that there is such an object."""
        return error.may_be_done

    def candidates(self, host: Host, want: Properties) -> list[Found]:
        """Return the objects with the natural key of what is wanted."""
        raise NotImplementedError

    def choose(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Return the one to take over of several that no other resource of the stack holds."""
        return found[0] if found else None

    def only_ours(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Return the only one, or of several the only one that this client made. Raises Ambiguous."""
        if len(found) <= 1:
            return found[0] if found else None
        ours = [each for each in found if is_created_by_us(host, each.get(self.maker))]
        if len(ours) != 1:
            raise Ambiguous(self.label(want, ""), host.hostname, [each[self.id_name] for each in found])
        return ours[0]

    def shares_key(self) -> bool:
        """Whether two objects may have the same natural key at Qlik."""
        return True

    def lookup(self, host: Host, want: Properties) -> Found | None:
        """Return the object to take over. Raises HeldByAnother, HolderUnknown."""
        free = []
        for each in self.candidates(host, want):
            label = self.label(want, each[self.id_name])
            holder = moves.holder(self.resource_type.__name__, label, host, each[self.id_name])
            if not holder:
                free.append(each)
            elif not self.shares_key():
                raise HeldByAnother(label, host.hostname, each[self.id_name], holder)
        return self.choose(host, want, free)

    def other(self, host: Host, id: str, want: Properties) -> Found | None:
        """Return the first of the others with that key, whether a resource of the stack holds it or not."""
        return next((each for each in self.candidates(host, want) if each[self.id_name] != id), None)

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the object and forget its note."""
        super().delete(cloud, id, have)
        current_note(have["tenant"], self.resource_type.__name__).clear()

    def _left_behind(self, cloud: Cloud, host: Host, want: Properties, note: Note) -> Found | None:
        """Return the object that is there; wait for it where an earlier run asked for it and Qlik may be
        late.
        """
        if note.earlier is None:
            return self.lookup(host, want)
        if noted := note.earlier.get("id"):
            found = next((each for each in self.candidates(host, want) if each[self.id_name] == noted), None)
            free = found and not moves.holder(
                self.resource_type.__name__, self.label(want, noted), host, noted
            )
            return found if free else self.lookup(host, want)
        what = f"{self.label(want, 'made')}, which an earlier run asked for"
        return wait(cloud, lambda: self.lookup(host, want), what, late_seconds(note.age()))

    def _made_after_all(self, cloud: Cloud, host: Host, want: Properties, error: QlikError) -> Found | None:
        if not self.may_be_there(error):
            return None
        seconds = late_seconds() if error.may_be_done else 0
        what = f"{self.label(want, 'made')}, whose answer was lost"
        return wait(cloud, lambda: self.lookup(host, want), what, seconds)


class Named(Keyless):
    """Keyless objects that their names tell apart for us, although Qlik takes a name twice."""

    natural_key = ("tenant", "name")

    def candidates(self, host: Host, want: Properties) -> list[Found]:
        """Return those of that name."""
        return [each for each in self.listed(host, want) if each["name"] == want["name"]]

    def choose(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Of several take the only one that this client made."""
        return self.only_ours(host, want, found)
