"""Service level objectives, probes and heartbeats."""
