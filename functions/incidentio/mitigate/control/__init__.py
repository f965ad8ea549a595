"""The control function of every playbook's machine: gates, locks, approvals and records. It touches no target."""
