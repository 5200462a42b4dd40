"""The cells by type, side by side."""
