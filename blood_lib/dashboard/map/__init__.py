"""The map of all cells among the reference cells."""
