"""Learn: the postmortem drafted from the timeline, and the anchors that make the timeline provable."""
