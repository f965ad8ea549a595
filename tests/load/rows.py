"""The numbers we hold ourselves to: one row per measurement, with its gate and its moonshot."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Row:
    """`gate` None: reported only."""

    name: str
    value: float
    unit: str
    gate: float | None
    moonshot: float | None
    better: Better

    @property
    def missed(self) -> bool:
        if self.gate is None:
            return False
        return self.value < self.gate if self.better == "higher" else self.value > self.gate

    @property
    def reached_moonshot(self) -> bool:
        if self.moonshot is None:
            return False
        return self.value >= self.moonshot if self.better == "higher" else self.value <= self.moonshot

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_NUMBERS: dict[str, tuple[str, float | None, float | None, Better]] = {
    "ingest_events_per_cpu_second": ("signals/s", 10_000, 25_000, "higher"),
    "aws_calls_per_duplicate": ("calls", 0.2, 0.1, "lower"),
    "aws_calls_per_new_incident": ("calls", 4, 2, "lower"),
    "aws_calls_per_transition": ("calls", 3, 2, "lower"),
    "write_units_per_duplicate": ("WCU", 1, 0.15, "lower"),
    "write_units_per_new_incident": ("WCU", 10, 6, "lower"),
    "write_units_per_transition": ("WCU", 7, 5, "lower"),
    "cpu_ms_per_duplicate": ("ms", 0.15, 0.05, "lower"),
    "cpu_ms_per_new_incident": ("ms", 3, 1.5, "lower"),
    "cold_import_ms": ("ms", 220, 150, "lower"),
    "package_zip_mb": ("MB", 8, 4.5, "lower"),
    "alarm_to_page_p50_s": ("s", None, None, "lower"),
    "alarm_to_page_p99_s": ("s", 2, 0.5, "lower"),
    "alarm_to_page_over_floor": ("ratio", 4, 2, "lower"),
    "list_page_read_units": ("RCU", 2, 1.5, "lower"),
    "list_page_read_units_1m": ("RCU", 2, 1.5, "lower"),
    "dedupe_cost_ratio_1m_over_10_open": ("ratio", 1, 1, "lower"),
    "publishes_per_10k_storm_1_root": ("pages", 5, 2, "lower"),
    "publishes_per_10k_storm_50_roots": ("pages", 150, 100, "lower"),
    "seconds_to_first_publish_per_10k_storm_1_root": ("s", None, None, "lower"),
    "seconds_to_first_publish_per_10k_storm_50_roots": ("s", None, None, "lower"),
    "storm_lost": ("signals", 0, 0, "lower"),
    "storm_duplicate_incidents": ("signals", 0, 0, "lower"),
    "storm_duplicate_pages": ("pages", 0, 0, "lower"),
    "storm_drain_s": ("s", 30, 5, "lower"),
    "storm_signals_per_minute": ("signals", None, None, "higher"),
    "storm_worker_memory_growth": ("ratio", 1.2, 1.05, "lower"),
    "storm_lost_by_kill": ("signals", 0, 0, "lower"),
    "peer_alertmanager_publishes": ("pages", None, None, "lower"),
    "peer_alertmanager_seconds_to_first": ("s", None, None, "lower"),
    "peer_alertmanager_lost_by_kill": ("signals", None, None, "lower"),
    "state_transitions_per_run": ("states", 30, 18, "lower"),
    "aws_calls_per_run": ("calls", 60, 35, "lower"),
    "action_ms_per_run": ("ms", None, None, "lower"),
    "envelope_overhead_ms": ("ms", 400, 60, "lower"),
    "idle_usd_per_month": ("USD", 8, 3, "lower"),
    "usd_per_million_signals": ("USD", 10, 1.2, "lower"),
}


def row(name: str, value: float) -> Row:
    """A row by its name; `cold_import_ms.<handler>` shares the numbers of `cold_import_ms`."""
    unit, gate, moonshot, better = _NUMBERS[name.partition(".")[0]]
    return Row(name=name, value=round(value, 4), unit=unit, gate=gate, moonshot=moonshot, better=better)
