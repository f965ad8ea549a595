"""Triage: which service, how severe, what depends on it, which playbooks fit, and why."""
