"""The one cell that is looked at, and its neighbours."""
