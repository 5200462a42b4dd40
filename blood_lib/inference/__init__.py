"""From images to answers: network, calibration, status, adaptation, and the table of results."""

from blood_lib.inference.classifier import STATUSES, Classifier, Predictions, Result, count_cores, heat_map

__all__ = ["Classifier", "Predictions", "Result", "STATUSES", "count_cores", "heat_map"]
