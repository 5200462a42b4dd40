"""The command line of the study: a module for each command. Nothing heavy loads before a command runs."""
