"""What is fast, measured side by side with its alternative in the same run: `make bench`."""
