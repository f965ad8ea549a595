"""Whether a step's conditions hold: on the run's parameters, its incident's labels, and what came of steps before."""

from collections.abc import Mapping

from incidentio.core.incident import Incident
from incidentio.core.labels import labels_of
from incidentio.core.matchers import parse_matcher
from incidentio.mitigate.run import Run, RunStep


def unmet(run: Run, step: RunStep, incident: Incident) -> str | None:
    """Why `step` is left out, or None."""
    known = _facts(run, step, incident)
    missed = [text for text in step.conditions if not parse_matcher(text).matches(known)]
    return f"{' and '.join(missed)} did not hold" if missed else None


def would_be_unmet(run: Run, step: RunStep, incident: Incident) -> str | None:
    """The same before anything has happened: conditions on steps before are taken to hold. For a dry run."""
    if step.status == "skipped":
        return step.summary
    ids = {each.id for each in run.steps if each.id}
    now = [text for text in step.conditions if parse_matcher(text).label.partition(".")[0] not in ids]
    return unmet(run, step.model_copy(update={"conditions": tuple(now)}), incident)


def _facts(run: Run, step: RunStep, incident: Incident) -> Mapping[str, str]:
    """`ID` is `applied`, `unchanged` (was so already), `done` (by a person) or `skipped`.

    `ID.before` and `ID.after` are its values, `ID.said` is its line of the timeline.
    """
    facts = {**labels_of(incident), **{name: str(value) for name, value in run.parameters.items()}}
    for earlier in run.steps[: step.n - 1]:
        if earlier.id:
            same = earlier.status == "applied" and earlier.before == earlier.after
            facts[earlier.id] = "unchanged" if same else earlier.status
            facts[f"{earlier.id}.before"] = _text(earlier.before)
            facts[f"{earlier.id}.after"] = _text(earlier.after)
            facts[f"{earlier.id}.said"] = earlier.summary
    return facts


def _text(value: object) -> str:
    return "" if value is None else str(value)
