"""Whole fields: where cells lie, how wide a red cell is there, and what each cell's classifier should see.

No kind of cell is written here. The detector says of each kind what it is for, its role.
"""
