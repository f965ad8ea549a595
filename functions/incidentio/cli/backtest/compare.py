"""What another catalogue would have changed, incident by incident."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from incidentio.cli.backtest.outcome import Made, Outcome
from incidentio.core.counted import counted


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
    """`sentence` is for people; `id` is that of the first report, or of the second where only it has the incident."""

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
    after = {_same(made): made for made in then.incidents}
    before = {_same(made) for made in now.incidents}
    for made in now.incidents:
        if found := _changed(made, after.get(_same(made)), then.incidents):
            yield found
    for made in then.incidents:
        if _same(made) not in before:
            calls = f", with {counted(made.pages, 'page')}" if made.pages else ""
            yield _difference(Change.NEW, made, 0, made.pages, f"would be an incident of its own{calls}")


def _same(made: Made) -> tuple[str, datetime]:
    """By what opened it, and when: another catalogue may have given the id to a storm that began at that moment."""
    return made.opener, made.detected_at


def _changed(made: Made, kept: Made | None, others: Iterable[Made]) -> Difference | None:
    if kept is None:
        return _absent(made, others)
    if made.told and not kept.told:
        if voice := _voice(kept, others):
            return _difference(
                Change.GROUPED, made, made.pages, voice.pages, f"would be told as part of {voice.title!r}"
            )
        return _difference(Change.HIDDEN, made, made.pages, 0, f"would be told to nobody any more: {kept.not_told}")
    return _louder_or_quieter(made, kept) if made.pages != kept.pages else None


def _louder_or_quieter(made: Made, kept: Made) -> Difference:
    now, then = made.pages, kept.pages
    if not then:
        return _difference(Change.UNPAGED, made, now, then, "would no longer page, only write a ticket")
    if not now:
        was = "was only a ticket" if made.tickets else f"was told to nobody ({made.not_told})"
        return _difference(Change.PAGED, made, now, then, f"would page; it {was}")
    change = Change.QUIETER if then < now else Change.LOUDER
    return _difference(change, made, now, then, f"would page {counted(then, 'time')} instead of {now}")


def _absent(made: Made, others: Iterable[Made]) -> Difference:
    """No incident of its own any more: in which other one is its alarm then?"""
    holder = next((o for o in others if made.opener in o.alarms and _together(o, made)), None)
    voice = _voice(holder, others) if holder else None
    if holder and (voice or not made.told):
        through = f", told as part of {voice.title!r}" if voice and voice is not holder else ""
        sentence = f"would be part of the incident of {holder.opener}{through}"
        return _difference(Change.GROUPED, made, made.pages, voice.pages if voice else 0, sentence)
    if made.told:
        return _difference(Change.HIDDEN, made, made.pages, 0, "would be no incident, and nobody would hear of it")
    return _difference(Change.GONE, made, 0, 0, "would be no incident; nobody was told of it before either")


def _voice(made: Made, others: Iterable[Made]) -> Made | None:
    """The incident through which people hear of this one: itself, or its storm."""
    return made if made.told else next((o for o in others if o.id == made.parent and o.told), None)


def _together(holder: Made, made: Made) -> bool:
    began = holder.detected_at <= made.detected_at
    return began and (holder.ended_at is None or holder.ended_at >= made.detected_at)


def _difference(change: Change, made: Made, now: int, then: int, sentence: str) -> Difference:
    return Difference(
        change=change,
        id=made.id,
        alarm=made.opener,
        service=made.service,
        pages=now,
        pages_then=then,
        sentence=sentence,
    )
