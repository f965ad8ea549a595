"""Dead letters: what could not be handled, why, and the way back."""
