"""From the alarms of an account to a first catalogue."""
