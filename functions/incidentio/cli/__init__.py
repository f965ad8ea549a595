"""The incidentio command."""
