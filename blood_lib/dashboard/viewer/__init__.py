"""The current cell and its neighbours."""
