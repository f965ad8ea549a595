"""The parts of the stack, one capability a file."""
