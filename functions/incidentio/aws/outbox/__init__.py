"""The outbox: timeline entries on the table's stream become domain events on the bus."""
