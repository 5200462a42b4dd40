"""The dataset: fetch it, list what is in it, find what is wrong with it, split it.

Pixels are decoded in `blood_lib.images`; training reads the table that `split` makes.
"""
