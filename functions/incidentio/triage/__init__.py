"""Severity, services, blast radius and proposed playbooks."""
