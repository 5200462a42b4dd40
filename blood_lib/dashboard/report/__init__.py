"""The report that prints, and the table of results."""
