"""What is fast or safe, measured beside its alternative in the same run: `make bench`, and others."""
