"""Where a network looks, what its features tell, and which labels are in doubt."""
