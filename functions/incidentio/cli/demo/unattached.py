"""What a kept demo leaves to look at: an alarm that fires, and that nobody has attached or named."""

from incidentio.cli.demo.expect import wait_for
from incidentio.cli.demo.props import BREACHING, Workload
from incidentio.cli.demo.stage import PATIENCE_SECONDS, Stage


def leave(stage: Stage) -> None:
    """Create it, and wait until it fires. Raises DemoFailedError."""
    search = Workload(stage.clients, "search", "Duration", "Average", signal_topic=None)
    search.create()
    search.measure(BREACHING)
    wait_for(f"the alarm {search.alarm} to fire", lambda: search.state() == "ALARM" or None, seconds=PATIENCE_SECONDS)
    stage.narrator.did(f"left the alarm {search.alarm} in ALARM: nobody attached it, so it is only watched")
