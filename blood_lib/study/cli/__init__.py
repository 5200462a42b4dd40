"""The command line of the study, a module for each command; nothing heavy loads before one runs."""
