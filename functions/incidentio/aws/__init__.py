"""Adapters to AWS services: table, bus, topics, bucket, settings, observability."""
