"""Builds the site of the documentation (`python -m docs.tools`), and measures its sentences (`.words`)."""
