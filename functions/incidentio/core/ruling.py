"""What the triage rules of `routing.yaml` say of a signal.

All rules are tried, from first to last. What one has set, the next ones see in their matchers. Of two that would set
the same thing the first wins, as in PagerDuty's event rules: later ones may add, not overrule. Responders add up.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from incidentio.core.reach import Reach
from incidentio.core.rules import Receiver, Rule
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode


@dataclass(frozen=True)
class Ruling:
    """What the rules say. `by` names, for each thing that is set, the rule that set it.

    `would`: what rules in monitor mode would have set, as sentence parts.
    """

    severity: Severity | None = None
    service: str | None = None
    environment: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    responders: tuple[str, ...] = ()
    receiver: Receiver | None = None
    by: Mapping[str, str] = field(default_factory=dict)
    would: tuple[str, ...] = ()

    def with_rule(self, rule: Rule) -> "Ruling":
        by = dict(self.by)

        def first(name: str) -> Any:
            before, now = getattr(self, name), getattr(rule.set, name)
            if before is None and now is not None:
                by[name] = rule.name
            return now if before is None else before

        single = {name: first(name) for name in ("severity", "service", "environment", "receiver")}
        labels = {name: value for name, value in rule.set.labels.items() if name not in self.labels}
        by.update({f"labels.{name}": rule.name for name in labels})
        more = tuple(who for who in rule.set.responders if who not in self.responders)
        by.update({f"responders.{who}": rule.name for who in more})
        labels = {**self.labels, **labels}
        return Ruling(**single, labels=labels, responders=self.responders + more, by=by, would=self.would)

    def without_rule(self, rule: Rule) -> "Ruling":
        """Only with what it would have set, if that is anything that no rule before it has set."""
        after = self.with_rule(rule)
        own = [name for name, by in after.by.items() if by == rule.name and name not in self.by]
        said = [f"{name}={after.value_of(name)}" if after.value_of(name) else name for name in own]
        if not said:
            return self
        return replace(self, would=(*self.would, f"rule {rule.name} would set {', '.join(said)}"))

    def value_of(self, name: str) -> str:
        """What is set under a name of `by`, as text; empty where the name says it all."""
        kind, _, rest = name.partition(".")
        if rest:
            return self.labels[rest] if kind == "labels" else ""
        value = getattr(self, name)
        return str(getattr(value, "value", value))


@dataclass(frozen=True)
class Seen:
    """What a rule looks at."""

    labels: Mapping[str, str]
    reach: Reach


def rule_on(rules: Iterable[Rule], look: Callable[[Ruling], Seen], at: datetime) -> Ruling:
    """Try every rule at the time `at`; `look` gives what is known once a ruling is applied."""
    ruling = Ruling()
    seen = look(ruling)
    for rule in rules:
        if not rule.holds(seen, at):
            continue
        if rule.mode is Mode.MONITOR:
            ruling = ruling.without_rule(rule)
            continue
        ruling = ruling.with_rule(rule)
        seen = look(ruling)
    return ruling
