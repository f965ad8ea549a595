"""The incident: lifecycle, timeline, severity, signals, events, errors and ports, free of any AWS code."""
