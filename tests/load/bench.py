"""`make bench`: measure, print each number next to its gate and moonshot, write build/bench.json, exit 1 on a miss."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.local import target as local
from infra.local.deployment import Deployable
from tests.load import cold, hot_path, latency, million, money, peer, requests_made, storm
from tests.load.rows import Row

OUTPUT = Path("build/bench.json")


def main() -> int:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="incidentio-bench-") as folder:
        home = Path(folder)
        description = local.up(home=home, port=None, deployable=Deployable(), say=lambda _line: None)
        try:
            _tell(_measurements(description), rows)
        finally:
            local.down(home=home, port=None)
    for measurement in (storm.measure, peer.measure, million.measure):
        _tell(measurement(), rows)
    missed = [r.name for r in rows if r.missed]
    print(f"\n{len(rows)} rows in {OUTPUT}; " + (f"gates missed: {', '.join(missed)}" if missed else "every gate held"))
    return 1 if missed else 0


def _measurements(description: dict) -> Iterator[Row]:
    yield from hot_path.measure()
    counted = requests_made.measure(description)
    yield from counted
    yield from cold.measure()
    yield from latency.measure(description)
    yield from money.measure({r.name: r.value for r in counted})


def _tell(measured: Iterator[Row], rows: list[Row]) -> None:
    """Print each row and keep it at once: a later measurement that fails takes none of them away."""
    for row in measured:
        print(_line(row), flush=True)
        rows.append(row)
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(json.dumps({"rows": [r.as_json() for r in rows]}, indent=2) + "\n")


def _line(row: Row) -> str:
    mark = "MISS" if row.missed else ("moon" if row.reached_moonshot else "ok")
    arrow = ">=" if row.better == "higher" else "<="
    gate = "-" if row.gate is None else f"{arrow} {row.gate:g}"
    moonshot = "-" if row.moonshot is None else f"{arrow} {row.moonshot:g}"
    return f"{mark:4}  {row.name:44} {row.value:>12,.4g} {row.unit:10} gate {gate:12} moonshot {moonshot}"


if __name__ == "__main__":
    sys.exit(main())
