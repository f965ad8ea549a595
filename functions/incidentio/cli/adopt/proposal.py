"""Placed alarms as services of a catalogue, each with why and how sure. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict

from incidentio.cli.adopt.placing import Confidence, Place, beginning, environment, places
from incidentio.cli.adopt.seen import Seen
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog, Service, ServiceMatch
from incidentio.core.errors import InvalidInput
from incidentio.core.severity import parse_severity
from incidentio.core.signal import Subject

_TIER_TAGS = ("tier", "Tier", "criticality", "Criticality", "incidentio:severity", "severity", "Severity")
_LONGEST, _LONGEST_END = 63, 40
_TOLD = 3
_SEPARATORS = "-_./: "
_QUIET_TOPIC = re.compile(r"mail|slack|chat|ticket|info|warn|low", re.IGNORECASE)


_Members = list[tuple[Seen, Place]]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Proposed(_Model):
    """One service. `alarms` are those it was seen in; `topics` those they notify today."""

    name: str
    alarm_names: tuple[str, ...]
    tags: dict[str, str]
    environment: str
    tier: int | None
    confidence: str
    why: tuple[str, ...]
    alarms: tuple[str, ...]
    topics: tuple[str, ...]


class Unplaced(_Model):
    alarm: str
    why: str


class Proposal(_Model):
    """`known`: alarms the catalogue places already; `ignored`: why, and how many; `left_out`: service → why."""

    services: tuple[Proposed, ...]
    tickets: tuple[str, ...]
    unplaced: tuple[Unplaced, ...]
    known: int
    ignored: dict[str, int]
    left_out: dict[str, str]


def propose(seen: Iterable[Seen], catalog: Catalog, *, own_prefix: str) -> Proposal:
    """Services for every alarm that `catalog` does not place yet; none takes an alarm from those it has."""
    attachment = Attachment(own_prefix=own_prefix, catalog=catalog)
    seen = list(seen)
    ignored: Counter[str] = Counter()
    known, rest = 0, []
    for one in seen:
        if why := attachment.ignored(one.alarm.name):
            ignored[why] += 1
        elif any(_matches(one, service.match) for service in catalog.services.values()):
            known += 1
        else:
            rest.append(one)
    grouped: dict[tuple[str, str], _Members] = {}
    unplaced = []
    for one, place in places(rest):
        if place is None:
            why = "no tag names a service, no dimension an ECS service or function, and its name begins like no others"
            unplaced.append(Unplaced(alarm=one.alarm.name, why=why))
            continue
        of = environment(one)
        grouped.setdefault((place.service, of[0] if of else "production"), []).append((one, place))
    all_names = [one.alarm.name for one in seen]
    named = _named(grouped)
    proposed = [_service(key, named[key], grouped, all_names) for key in sorted(grouped)]
    left_out = _taking(proposed, rest, catalog)
    services = [service for service in proposed if service.name not in left_out]
    for service in proposed:
        if why := left_out.get(service.name):
            unplaced += [Unplaced(alarm=name, why=why) for name in service.alarms]
    return Proposal(
        services=tuple(services),
        tickets=_tickets(services),
        unplaced=tuple(unplaced),
        known=known,
        ignored=dict(ignored),
        left_out=left_out,
    )


def _taking(proposed: Sequence[Proposed], rest: Iterable[Seen], catalog: Catalog) -> dict[str, str]:
    """Services that, behind those of `catalog`, would take an alarm from one of them, and which.

    Those have alarms that no `match` of theirs finds: with the tag `service`, which counts where nothing matches.
    """
    owned = [(one, owner) for one in rest if (owner := _owner(one, catalog)) in catalog.services]
    taking: dict[str, str] = {}
    for service in proposed:
        if service.name in catalog.services:
            continue
        entry = Service(match=ServiceMatch(alarm_names=service.alarm_names, tags=service.tags))
        after = catalog.model_copy(update={"services": {**catalog.services, service.name: entry}})
        taken = [f"{one.alarm.name} from {owner}" for one, owner in owned if _owner(one, after) != owner]
        if taken:
            more = f" and {len(taken) - _TOLD} more" if len(taken) > _TOLD else ""
            taking[service.name] = f"the service {service.name} would take {', '.join(taken[:_TOLD])}{more}"
    return taking


def _owner(one: Seen, catalog: Catalog) -> str | None:
    return catalog.service_of(Subject(alarm_name=one.alarm.name, alarm_arn=one.alarm.arn), one.tags)


def _matches(one: Seen, match: ServiceMatch) -> bool:
    return match.why(alarm_name=one.alarm.name, alarm_arn=one.alarm.arn, tags=one.tags) is not None


def _named(grouped: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """One name each: its own; of several environments' those of all but production with theirs behind it, and a number
    where another service is named so.
    """
    keys = sorted(grouped)
    several = {name for name, count in Counter(name for name, _ in keys).items() if count > 1}
    named = {key: key[0] for key in keys if key[0] not in several or key[1] == "production"}
    for key in keys:
        if key not in named:
            wanted = (_joined(*key, *number) for number in ((), *((str(n),) for n in range(2, len(keys) + 2))))
            named[key] = next(name for name in wanted if name not in named.values())
    return named


def _joined(name: str, *behind: str) -> str:
    """As long as the catalogue takes."""
    end = "-".join(("", *behind))[-_LONGEST_END:]
    return name[: _LONGEST - len(end)] + end


def _service(
    key: tuple[str, str],
    told: str,
    grouped: dict[tuple[str, str], _Members],
    all_names: Sequence[str],
) -> Proposed:
    name, in_environment = key
    members = grouped[key]
    several = sum(service == name for service, _ in grouped) > 1
    alarms = [one.alarm.name for one, _ in members]
    tagged = {place.tag for _, place in members}
    tag = next(iter(tagged)) if len(tagged) == 1 else None
    # Of two environments with one tag, the tag would match both.
    tags = {tag[0]: tag[1]} if tag and not several else {}
    tier, tier_why = _tier([one for one, _ in members])
    reasons = Counter(place.why for _, place in members)
    environments = Counter(found[1] for one, _ in members if (found := environment(one)))
    why = [f"{text} ({count} of {len(members)} alarms)" for text, count in reasons.most_common(3)]
    why += [f"{in_environment}: {text}" for text, _ in environments.most_common(1)]
    return Proposed(
        name=told,
        alarm_names=_patterns(alarms, all_names),
        tags=tags,
        environment=in_environment,
        tier=tier,
        confidence=Confidence(min(place.confidence for _, place in members)).name.lower(),
        why=(*why, *([tier_why] if tier_why else [])),
        alarms=tuple(alarms),
        topics=tuple(sorted({a.rpartition(":")[2] for one, _ in members for a in one.alarm.actions if ":sns:" in a})),
    )


def _patterns(own: Sequence[str], everybody: Sequence[str]) -> tuple[str, ...]:
    """The shortest glob that begins with a whole word and takes nobody else's alarms; else the names themselves."""
    begins = own[0]
    while not all(name.startswith(begins) for name in own):
        begins = begins[:-1]
    word = len(beginning(own[0]))
    for cut in (at + 1 for at, letter in enumerate(begins) if at >= word and letter in _SEPARATORS):
        glob = _literal(begins[:cut]) + "*"
        if len(own) > 1 and sum(fnmatchcase(name, glob) for name in everybody) == len(own):
            return (glob,)
    return tuple(_literal(name) for name in own)


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _tier(members: Iterable[Seen]) -> tuple[int | None, str]:
    """The highest that tags give."""
    found: dict[int, str] = {}
    for one in members:
        for source in (one.tags, one.resource_tags):
            for key in _TIER_TAGS:
                try:
                    rank = parse_severity(source.get(key, "")).rank
                except InvalidInput:
                    continue
                found.setdefault(rank, f"tag {key}={source[key]}")
    return (min(found), f"tier {min(found)}: {found[min(found)]}") if found else (None, "")


def _tickets(services: Sequence[Proposed]) -> tuple[str, ...]:
    """Services that notify only topics named like a mailbox or chat, where others notify something else."""
    if len({service.topics for service in services}) < 2:
        return ()
    return tuple(
        service.name for service in services if service.topics and all(_QUIET_TOPIC.search(t) for t in service.topics)
    )
