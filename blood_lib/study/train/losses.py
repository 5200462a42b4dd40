"""What a training minimises and logs: classes and, where a network tells them, subtypes.

Predictions are (B, C) or (B, C + S), targets (B, 2): class and subtype, UNKNOWN where no subtype is known; or
(B, 3), the third is the laboratory, where several are learned from. Further outputs of the network, and the
columns of their labels, come after these. `evaluation` computes the figures of a finished network.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional as F

from blood_lib.study.data.laboratories import LABORATORY_INDEX
from blood_lib.study.train import torchvision_ops  # noqa: F401  (must come before fastai)

from fastai.metrics import AccumMetric, Metric  # isort: skip

__all__ = ["UNKNOWN", "JointLoss", "build_metrics", "compare_with_some"]

_Measure = Callable[[torch.Tensor, torch.Tensor], float]

UNKNOWN = -100  # what PyTorch's losses leave out


def compare_with_some(logits: torch.Tensor, candidates: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Mean -log of the probability that the class is one of its candidates (B, C), label-smoothed.

    What a laboratory does not tell is summed over (partial labels, Cour et al. 2011, JMLR 12:1501; the
    marginal loss of Shi et al. 2021, arXiv:2007.03868). A softmax over the told classes alone would leave the
    others' logits free: to take a lymphocyte for an erythroblast would cost nothing.
    """
    log_probs = logits.log_softmax(1)
    some = log_probs.masked_fill(~candidates, -torch.inf).logsumexp(1)
    return -((1 - smoothing) * some + smoothing * log_probs.mean(1)).mean()


class JointLoss(nn.Module):
    """Cross-entropy of the classes, plus `subtype_weight` times that of the subtypes, both label-smoothed
    (Caruana 1997, multitask learning).

    Where teachers have said their probabilities (B, C + S), the share `distillation` of the loss is the same
    sum with these in the place of the labels (Hinton, Vinyals & Dean 2015, arXiv:1503.02531).

    candidates: (L, C, C) bool, what a label of each laboratory can stand for; see `compare_with_some`.
    """

    def __init__(
        self,
        n_classes: int,
        label_smoothing: float,
        subtype_weight: float,
        distillation: float = 0.0,
        *,
        candidates: torch.Tensor | None = None,
    ):
        super().__init__()
        self.n_classes, self.smoothing, self.subtype_weight = n_classes, label_smoothing, subtype_weight
        self.distillation = distillation
        self.candidates = candidates

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
        loss = self._compare_classes(pred[:, : self.n_classes], y)
        if not self.subtype_weight or (y[:, 1] == UNKNOWN).all():
            return loss
        subtypes = F.cross_entropy(pred[:, self.n_classes :], y[:, 1], label_smoothing=self.smoothing)
        return loss + self.subtype_weight * subtypes

    def _compare_classes(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.candidates is None:
            return F.cross_entropy(logits, y[:, 0], label_smoothing=self.smoothing)
        candidates = self.candidates.to(y.device)[y[:, 2], y[:, 0]]
        return compare_with_some(logits, candidates, self.smoothing)

    def _compare_with_teachers(self, pred: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
        n = self.n_classes
        loss = F.cross_entropy(pred[:, :n], taught[:, :n])
        if not self.subtype_weight:
            return loss
        return loss + self.subtype_weight * F.cross_entropy(pred[:, n:], taught[:, n:])


def build_metrics(n_classes: int, *, with_subtypes: bool, laboratories: Sequence[str] = ()) -> list[Metric]:
    """Accuracy and balanced accuracy of the classes, for each of the `laboratories` apart where there are
    some, and the accuracy of the subtypes that are known.
    """

    def accuracy(pred: torch.Tensor, y: torch.Tensor) -> float:
        return (pred[:, :n_classes].argmax(1) == y[:, 0]).float().mean().item()

    def balanced_accuracy(pred: torch.Tensor, y: torch.Tensor) -> float:
        right = (pred[:, :n_classes].argmax(1) == y[:, 0]).float()
        return torch.stack([right[y[:, 0] == c].mean() for c in y[:, 0].unique()]).mean().item()

    def subtype_accuracy(pred: torch.Tensor, y: torch.Tensor) -> float:
        known = y[:, 1] != UNKNOWN
        return (pred[known, n_classes:].argmax(1) == y[known, 1]).float().mean().item()

    functions: list[_Measure] = [accuracy, balanced_accuracy]
    if laboratories:
        functions = [_measure_at(name, function) for name in laboratories for function in functions]
    functions += [subtype_accuracy] if with_subtypes else []
    return [AccumMetric(function, flatten=False) for function in functions]


def _measure_at(laboratory: str, function: _Measure) -> _Measure:
    """`function` of the cells of one laboratory alone, under a name that says so."""

    def measure(pred: torch.Tensor, y: torch.Tensor) -> float:
        own = y[:, 2] == LABORATORY_INDEX[laboratory]
        return function(pred[own], y[own])

    measure.__name__ = f"{function.__name__}_{laboratory}"
    return measure
