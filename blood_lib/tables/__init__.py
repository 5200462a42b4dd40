"""Answers as tables for people and spreadsheets: a row for each cell, and one for each field."""
