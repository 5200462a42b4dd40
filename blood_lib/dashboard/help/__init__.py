"""What the tool is, how good, and where not to trust it."""
