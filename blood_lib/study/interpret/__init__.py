"""Where a network looks, what its features know, and which labels are in doubt."""
