"""What another catalogue would have changed, incident by incident."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from incidentio.cli.backtest.outcome import Made, Outcome


class Change(StrEnum):
    """Worst first."""

    HIDDEN = "hidden"  # somebody was called, and now nobody hears of it
    UNPAGED = "unpaged"  # a page becomes a ticket
    GROUPED = "grouped"  # it is told as part of another incident
    QUIETER = "quieter"  # fewer pages
    PAGED = "paged"  # nobody was paged, and now somebody is
    LOUDER = "louder"  # more pages
    NEW = "new"  # an incident of its own only now
    GONE = "gone"  # nobody was called, and it is no incident any more


class Difference(BaseModel):
    """`sentence` is for people; `id` is that of the first catalogue, or of the second where only it has it."""

    model_config = ConfigDict(frozen=True)

    change: Change
    id: str
    alarm: str
    service: str
    pages: int
    pages_then: int
    sentence: str


def differences(now: Outcome, then: Outcome) -> list[Difference]:
    """From the catalogue `now` to the one `then`, worst first, then by time."""
    found = list(_differences(now, then))
    order = list(Change)
    return sorted(found, key=lambda d: order.index(d.change))


def _differences(now: Outcome, then: Outcome) -> Iterator[Difference]:
    after = {made.id: made for made in then.incidents}
    before = {made.id for made in now.incidents}
    for made in now.incidents:
        if found := _changed(made, after.get(made.id), then.incidents):
            yield found
    for made in then.incidents:
        if made.id not in before:
            calls = f", with {made.pages} page(s)" if made.pages else ""
            yield _difference(Change.NEW, made, 0, made.pages, f"would be an incident of its own{calls}")


def _changed(made: Made, kept: Made | None, others: Iterable[Made]) -> Difference | None:
    if kept is None:
        return _absent(made, others)
    now, then = made.pages, kept.pages
    if (now or made.tickets) and not (then or kept.tickets):
        return _difference(Change.HIDDEN, made, now, then, f"would be told to nobody any more: {kept.not_told}")
    if now and not then:
        return _difference(Change.UNPAGED, made, now, then, "would no longer page, only write a ticket")
    if then and not now:
        was = "was only a ticket" if made.tickets else f"was told to nobody ({made.not_told})"
        return _difference(Change.PAGED, made, now, then, f"would page; it {was}")
    if now != then:
        change = Change.QUIETER if then < now else Change.LOUDER
        return _difference(change, made, now, then, f"would page {then} time(s) instead of {now}")
    return None


def _absent(made: Made, others: Iterable[Made]) -> Difference:
    """No incident of its own any more: in which other one is its alarm then?"""
    opener = made.alarms[0] if made.alarms else ""
    holder = next((o for o in others if opener in o.alarms and _together(o, made)), None)
    if holder and (holder.pages or holder.tickets or not (made.pages or made.tickets)):
        sentence = f"would be part of {holder.id} ({', '.join(holder.alarms[:1])})"
        return _difference(Change.GROUPED, made, made.pages, holder.pages, sentence)
    if made.pages or made.tickets:
        return _difference(Change.HIDDEN, made, made.pages, 0, "would be no incident, and nobody would hear of it")
    return _difference(Change.GONE, made, 0, 0, "would be no incident; nobody was told of it before either")


def _together(holder: Made, made: Made) -> bool:
    began = holder.detected_at <= made.detected_at
    return began and (holder.ended_at is None or holder.ended_at >= made.detected_at)


def _difference(change: Change, made: Made, now: int, then: int, sentence: str) -> Difference:
    alarm = made.alarms[0] if made.alarms else made.title
    return Difference(
        change=change, id=made.id, alarm=alarm, service=made.service, pages=now, pages_then=then, sentence=sentence
    )
