"""The differential: its table, its charts, and what can be exported."""
