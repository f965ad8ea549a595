"""incidentio: from alarm to archived postmortem."""
