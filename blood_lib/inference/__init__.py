"""From images to answers: network, calibration, status, adaptation, and the table of results."""

from blood_lib.files.reasons import STATUSES
from blood_lib.inference.classifier import Classifier
from blood_lib.inference.decoding import count_cores
from blood_lib.inference.results import FieldReading, Predictions, Result, heat_map

__all__ = ["Classifier", "FieldReading", "Predictions", "Result", "STATUSES", "count_cores", "heat_map"]
