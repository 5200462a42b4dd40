"""The joint loss is that of the classes plus a share of that of the subtypes that are known."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.train.losses import UNKNOWN, JointLoss, build_metrics


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
