"""How long a visitor waits in a real browser, what the page loads, and how much memory a visitor takes."""
