"""The command line of the core, a module for each command; nothing heavy loads before one runs."""
