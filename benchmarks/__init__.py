"""What is fast or safe, measured side by side with its alternative in the same run: `make bench`, and others."""
