"""Whole fields: each with the boxes of its cells, which a person draws, moves and removes."""
