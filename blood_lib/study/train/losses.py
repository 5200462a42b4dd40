"""What a training minimises and logs: classes and, where a network tells them, subtypes.

Predictions are (B, C) or (B, C + S), targets (B, 2): class and subtype, UNKNOWN where no subtype is known.
`evaluation` computes the figures of a finished network.
"""

import torch
from torch import nn
from torch.nn import functional as F

from blood_lib.study.train import torchvision_ops  # noqa: F401  (must come before fastai)

from fastai.metrics import AccumMetric, Metric  # isort: skip

__all__ = ["UNKNOWN", "JointLoss", "build_metrics"]

UNKNOWN = -100  # what PyTorch's losses leave out


class JointLoss(nn.Module):
    """Cross-entropy of the classes, plus `subtype_weight` times that of the subtypes, both label-smoothed
    (Caruana 1997, multitask learning).

    Where teachers have said their probabilities (B, C + S), the share `distillation` of the loss is the same
    sum with these in the place of the labels (Hinton, Vinyals & Dean 2015, arXiv:1503.02531).
    """

    def __init__(
        self, n_classes: int, label_smoothing: float, subtype_weight: float, distillation: float = 0.0
    ):
        super().__init__()
        self.n_classes, self.smoothing, self.subtype_weight = n_classes, label_smoothing, subtype_weight
        self.distillation = distillation

    def forward(
        self, pred: torch.Tensor, y: torch.Tensor, taught: torch.Tensor | None = None
    ) -> torch.Tensor:
        loss = self._compare_with_labels(pred, y)
        return (
            loss
            if taught is None
            else loss.lerp(self._compare_with_teachers(pred, taught), self.distillation)
        )

    def _compare_with_labels(self, pred: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss = F.cross_entropy(pred[:, : self.n_classes], y[:, 0], label_smoothing=self.smoothing)
        if not self.subtype_weight or (y[:, 1] == UNKNOWN).all():
            return loss
        subtypes = F.cross_entropy(pred[:, self.n_classes :], y[:, 1], label_smoothing=self.smoothing)
        return loss + self.subtype_weight * subtypes

    def _compare_with_teachers(self, pred: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
        n = self.n_classes
        loss = F.cross_entropy(pred[:, :n], taught[:, :n])
        if not self.subtype_weight:
            return loss
        return loss + self.subtype_weight * F.cross_entropy(pred[:, n:], taught[:, n:])


def build_metrics(n_classes: int, *, with_subtypes: bool) -> list[Metric]:
    """Accuracy and balanced accuracy of the classes, and the accuracy of the subtypes that are known."""

    def accuracy(pred: torch.Tensor, y: torch.Tensor) -> float:
        return (pred[:, :n_classes].argmax(1) == y[:, 0]).float().mean().item()

    def balanced_accuracy(pred: torch.Tensor, y: torch.Tensor) -> float:
        right = (pred[:, :n_classes].argmax(1) == y[:, 0]).float()
        return torch.stack([right[y[:, 0] == c].mean() for c in y[:, 0].unique()]).mean().item()

    def subtype_accuracy(pred: torch.Tensor, y: torch.Tensor) -> float:
        known = y[:, 1] != UNKNOWN
        return (pred[known, n_classes:].argmax(1) == y[known, 1]).float().mean().item()

    functions = [accuracy, balanced_accuracy, *([subtype_accuracy] if with_subtypes else [])]
    return [AccumMetric(function, flatten=False) for function in functions]
