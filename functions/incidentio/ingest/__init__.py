"""From source contracts to signals: redact, dedupe, group, suppress."""
