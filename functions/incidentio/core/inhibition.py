"""Inhibition, as Alertmanager has it: while the source fires, targets with equal labels join it and page nobody.

Source: https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from incidentio.core.inhibit_rule import InhibitRule
from incidentio.core.matchers import all_match
from incidentio.core.members import NOT_SAID, pointers_of
from incidentio.core.ports import Delete, Key, Put, Record, Records
from incidentio.core.signal import SignalState, dedup_hash


@dataclass(frozen=True)
class Inhibition:
    """One side of a rule, for certain values of its equal labels. `both`: the signal is on both sides of it.

    `severity`: what it said when it was found to be on this side.
    """

    rule: InhibitRule
    pk: str
    both: bool
    severity: str = ""

    def write(self, dedup_key: str, changed_at: str) -> Put:
        """The record by which targets find this source; whether it fires is what its own pointer says."""
        body = {"dedup_key": dedup_key, "both": self.both, "at": changed_at, "severity": self.severity}
        return Put(Record(self._key(dedup_key), body))

    def forgetting(self, body: Mapping[str, Any]) -> Delete:
        """The delete of such a record. Refused where its source has fired anew since it was read."""
        return Delete(self._key(body["dedup_key"]), when={"at": body.get("at")})

    def _key(self, dedup_key: str) -> Key:
        return Key(self.pk, dedup_hash(dedup_key))


def name_of(dedup_key: str) -> str:
    """How people read it: an alarm's name without the rest of its ARN."""
    return dedup_key.rpartition(":alarm:")[2]


@dataclass(frozen=True)
class Source:
    """What may inhibit: its record on one side of a rule, and its own pointer."""

    body: Mapping[str, Any]
    pointer: Mapping[str, Any]

    @property
    def name(self) -> str:
        return name_of(str(self.body["dedup_key"]))

    @property
    def mark(self) -> str:
        """The hash of its dedup key, and the severity with which it inhibits."""
        return f"{dedup_hash(self.body['dedup_key'])}:{self.pointer.get('severity', NOT_SAID)}"

    @property
    def incident_id(self) -> str | None:
        return self.pointer.get("incident_id")

    @property
    def fires(self) -> bool:
        """Now, in an incident that is open."""
        belongs = self.pointer.get("open") or self.pointer.get("inhibited")
        return bool(belongs) and self.pointer.get("state") == SignalState.FIRING and self._is_as_it_was

    def holds(self, *, since: str) -> bool:
        """It fires, or has been ok only since later than `since`."""
        recovered = bool(self.pointer.get("open")) and self.pointer.get("state") == SignalState.OK
        recovered = recovered and self._is_as_it_was
        return self.fires or (recovered and str(self.pointer.get("fence", "")) > since)

    @property
    def _is_as_it_was(self) -> bool:
        """Says the same severity as when it was on this side: each change of it is written down anew."""
        return bool((self.body.get("severity") or NOT_SAID) == self.pointer.get("severity", NOT_SAID))


@dataclass(frozen=True)
class Inhibited:
    """What fires on the other side of which rule: its name, and the mark a pointer has of it (see `mark`)."""

    source: str
    mark: str
    rule: InhibitRule

    def __str__(self) -> str:
        return f"{self.source} fires ({self.rule})"


def sources(side: Inhibition, dedup_key: str, records: Records) -> list[Source]:
    """Everything on the other side of the rule, `dedup_key` aside: of two on both sides neither inhibits the other."""
    found = [body for _, body in records.query(side.pk) if body["dedup_key"] != dedup_key]
    pointers = pointers_of(records, found)
    return [Source(b, pointers.get(b["dedup_key"], {})) for b in found if not (side.both and b["both"])]


def as_source(rules: Iterable[InhibitRule], labels: Mapping[str, str]) -> list[Inhibition]:
    """What a signal with these labels inhibits."""
    return [_side(rule, labels) for rule in rules if all_match(rule.source_matchers, labels)]


def as_target(rules: Iterable[InhibitRule], labels: Mapping[str, str]) -> list[Inhibition]:
    """What a signal with these labels may be inhibited by."""
    return [_side(rule, labels) for rule in rules if all_match(rule.target_matchers, labels)]


def _side(rule: InhibitRule, labels: Mapping[str, str]) -> Inhibition:
    equal = [(name, labels.get(name, "")) for name in rule.equal]
    both = all_match(rule.source_matchers, labels) and all_match(rule.target_matchers, labels)
    return Inhibition(rule, f"INHIBIT#{dedup_hash(repr((str(rule), equal)))}", both, labels.get("severity", ""))
