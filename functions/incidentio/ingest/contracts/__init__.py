"""What each source says: one module a family, each from its document to an observation or a change record."""
