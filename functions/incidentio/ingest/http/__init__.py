"""The HTTP door: integrations prove themselves, and what they send goes into the ingest queue."""
