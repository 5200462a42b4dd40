"""The detector's training: whole fields with boxes in, a small heat-map network out.

Using it on a photograph is for `blood_lib.detection`, which knows nothing of this.
"""
