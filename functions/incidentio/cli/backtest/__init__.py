"""Replay of what CloudWatch remembers through the real lanes, in simulated time."""
