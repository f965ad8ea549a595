"""Communicate: who is told what, exactly once, and again until somebody answers."""
