"""Postmortems, action items and analytics."""
