"""The joint loss is that of the classes plus a share of that of the subtypes that are known."""

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.data.laboratories import LABORATORY_INDEX, build_candidates
from blood_lib.study.train.losses import UNKNOWN, JointLoss, build_metrics, compare_with_some


def test_the_loss_adds_up():
    pred, y = torch.randn(4, 5), torch.tensor([[0, 1], [1, 0], [0, UNKNOWN], [1, 2]])
    of_classes = torch.nn.functional.cross_entropy(pred[:, :2], y[:, 0])
    known = y[:, 1] != UNKNOWN
    of_subtypes = torch.nn.functional.cross_entropy(pred[known, 2:], y[known, 1])
    assert JointLoss(2, 0.0, 0.0)(pred, y) == pytest.approx(of_classes)
    assert JointLoss(2, 0.0, 0.5)(pred, y) == pytest.approx(of_classes + 0.5 * of_subtypes)


def test_a_batch_without_a_known_subtype_has_a_loss():
    y = torch.tensor([[0, UNKNOWN], [1, UNKNOWN]])
    assert torch.isfinite(JointLoss(2, 0.1, 0.5)(torch.randn(2, 5), y))


def test_teachers_have_their_share_of_the_loss():
    pred, y = torch.randn(4, 5), torch.tensor([[0, 1], [1, 0], [0, UNKNOWN], [1, 2]])
    taught = torch.cat([torch.rand(4, 2).softmax(1), torch.rand(4, 3).softmax(1)], 1)
    by_labels = JointLoss(2, 0.1, 0.5)(pred, y)
    by_teachers = -(taught[:, :2] * pred[:, :2].log_softmax(1)).sum(1).mean()
    by_teachers += -0.5 * (taught[:, 2:] * pred[:, 2:].log_softmax(1)).sum(1).mean()
    for share in (0.0, 0.25, 1.0):
        expected = (1 - share) * by_labels + share * by_teachers
        loss = JointLoss(2, 0.1, 0.5, share)(pred, y, taught).item()
        assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_metrics_count_over_all_batches():
    pred = torch.tensor([[2.0, 1, 0, 9], [2, 1, 9, 0], [1, 2, 0, 9], [1, 2, 9, 0]])
    y = torch.tensor([[0, 1], [0, UNKNOWN], [0, 0], [1, 0]])
    found = {metric.name: metric.func(pred, y) for metric in build_metrics(2, with_subtypes=True)}
    assert found["accuracy"] == pytest.approx(3 / 4)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["subtype_accuracy"] == pytest.approx(2 / 3)


def test_where_each_label_stands_for_itself_the_loss_is_cross_entropy():
    logits, target = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 1, 1])
    expected = torch.nn.functional.cross_entropy(logits, target, label_smoothing=0.1)
    assert compare_with_some(logits, torch.eye(4, dtype=torch.bool)[target], 0.1) == pytest.approx(expected)


def test_what_a_laboratory_does_not_tell_is_summed_over():
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    either = torch.tensor([[True, True, False]])
    assert compare_with_some(logits, either, 0.0).item() == pytest.approx(-math.log(0.8))
    moved = torch.tensor([[0.1, 0.7, 0.2]]).log()
    assert compare_with_some(moved, either, 0.0).item() == pytest.approx(-math.log(0.8))


def test_a_laboratory_of_five_types_says_that_its_lymphocyte_is_no_erythroblast():
    names = [cell_type.name for cell_type in CELL_TYPES]
    lymphocyte, erythroblast, neutrophil, immature = map(
        names.index, ("lymphocyte", "erythroblast", "neutrophil", "immature granulocyte")
    )
    loss = JointLoss(len(names), 0.0, 0.0, candidates=torch.tensor(build_candidates()))

    def of(label, answer, laboratory):
        pred = 5 * torch.eye(len(names))[[answer]]
        return loss(pred, torch.tensor([[label, UNKNOWN, LABORATORY_INDEX[laboratory]]])).item()

    assert of(lymphocyte, erythroblast, "chula") > 4 > 1 > of(lymphocyte, lymphocyte, "chula")
    assert of(neutrophil, immature, "bccd") < 1 < 4 < of(neutrophil, immature, "pbc")


def test_each_laboratory_has_metrics_of_its_own():
    pred = torch.tensor([[2.0, 1], [2, 1], [1, 2], [2, 1]])
    y = torch.tensor([[0, UNKNOWN, 0], [1, UNKNOWN, 0], [1, UNKNOWN, 1], [0, UNKNOWN, 1]])
    metrics = build_metrics(2, with_subtypes=False, laboratories=("pbc", "bccd"))
    found = {metric.name: metric.func(pred, y) for metric in metrics}
    assert found["accuracy_pbc"] == 0.5 and found["accuracy_bccd"] == 1
    assert found["balanced_accuracy_pbc"] == 0.5 and found["balanced_accuracy_bccd"] == 1
