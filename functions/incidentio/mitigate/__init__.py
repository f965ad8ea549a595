"""Playbooks: policy gates, approvals and actions."""
