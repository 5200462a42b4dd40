"""When a model should not be sure: what it has never seen, what is blurred, what is small."""
