"""Cells of several laboratories, all seen in windows of one size in red cells, and trainings on them.

What a laboratory is stands in `data.laboratories`; `detect.fields` knows the fields' boxes and red cells.
"""
