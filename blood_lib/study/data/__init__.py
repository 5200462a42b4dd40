"""The dataset: fetch it, list its files, find what is wrong with it, split it.

`blood_lib.images` decodes pixels. Training reads the table that `split` builds.
"""
