"""`make bench`: measure, print each number next to its gate and moonshot, write build/bench.json, exit 1 on a miss."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local import target as local
from infra.local.deployment import Deployable
from tests.load import cold, hot_path, latency, million, money, peer, playbook_runs, requests_made, storm
from tests.load.rows import Row

OUTPUT = Path("build/bench.json")
Measured = Callable[[], Iterator[Row]]


def main(asked: Sequence[str]) -> int:
    """Measure what is `asked`, or everything; rows of an earlier run that are not measured again stay in the file."""
    rows = {row.name: row for row in _earlier()} if asked else {}
    with _deployed() as measurements:
        if unknown := sorted(set(asked) - set(measurements)):
            sys.exit(f"unknown measurement {unknown[0]}: valid are {', '.join(measurements)}")
        for name in asked or measurements:
            _tell(measurements[name](), rows)
    missed = [r.name for r in rows.values() if r.missed]
    print(f"\n{len(rows)} rows in {OUTPUT}; " + (f"gates missed: {', '.join(missed)}" if missed else "every gate held"))
    return 1 if missed else 0


@contextmanager
def _deployed() -> Iterator[dict[str, Measured]]:
    """Every measurement by its name, in order. Those that need one share a target, which is made by the first."""
    made: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="incidentio-bench-") as folder:

        def target() -> dict[str, Any]:
            if not made:
                made.update(local.up(home=Path(folder), port=None, deployable=Deployable(), say=lambda _line: None))
            return made

        def requests() -> Iterator[Row]:
            counted = requests_made.measure(target())
            yield from counted
            yield from money.measure({r.name: r.value for r in counted})

        def alone(measure: Measured) -> Measured:
            """The shared target is stopped first, so that it takes nothing of the machine."""

            def measured() -> Iterator[Row]:
                if made:
                    local.down(home=Path(folder), port=None)
                    made.clear()
                yield from measure()

            return measured

        try:
            yield {
                "hot_path": hot_path.measure,
                "cold": cold.measure,
                "latency": lambda: latency.measure(target()),
                "playbooks": playbook_runs.measure,
                "requests": requests,  # leaves a thousand incidents, which the target is busy with for a while
                "storm": alone(storm.measure),
                "peer": alone(peer.measure),
                "million": alone(million.measure),
            }
        finally:
            if made:
                local.down(home=Path(folder), port=None)


def _earlier() -> list[Row]:
    return [Row(**row) for row in json.loads(OUTPUT.read_text())["rows"]] if OUTPUT.is_file() else []


def _tell(measured: Iterator[Row], rows: dict[str, Row]) -> None:
    """Print each row and keep it at once: a later measurement that fails takes none of them away."""
    for row in measured:
        print(_line(row), flush=True)
        rows[row.name] = row
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(json.dumps({"rows": [r.as_json() for r in rows.values()]}, indent=2) + "\n")


def _line(row: Row) -> str:
    mark = "MISS" if row.missed else ("moon" if row.reached_moonshot else "ok")
    arrow = ">=" if row.better == "higher" else "<="
    gate = "-" if row.gate is None else f"{arrow} {row.gate:g}"
    moonshot = "-" if row.moonshot is None else f"{arrow} {row.moonshot:g}"
    return f"{mark:4}  {row.name:44} {row.value:>12,.4g} {row.unit:10} gate {gate:12} moonshot {moonshot}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
