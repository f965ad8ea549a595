"""Pages, tickets, escalation and status."""
