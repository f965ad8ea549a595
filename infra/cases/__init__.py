"""`cases.yaml` of a playbook: what it promises, and the estates on which that is tried."""
