"""The detector's training on drawn fields: views, targets, loss, a run that goes on, and its export."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.detection.boxes import compute_iou
from blood_lib.detection.decode import decode
from blood_lib.detection.detector import STRIDE
from blood_lib.files.errors import BloodError
from blood_lib.study.detect.at_hand import draw_fields
from blood_lib.study.detect.exporting import MAX_BYTES, build_detector, export_detector
from blood_lib.study.detect.fields import KINDS, PLATELET, RED, WHITE, Field
from blood_lib.study.detect.loss import compute_loss, giou_loss, heat_loss
from blood_lib.study.detect.network import DetectorNetwork
from blood_lib.study.detect.pseudo_labels import add_pseudo_labels, find_pseudo_labels
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.targets import build_targets
from blood_lib.study.detect.training import build_batch, load_detector, train_detector, train_step
from blood_lib.study.detect.views import draw_view, load_canvas
from blood_lib.study.evaluate.costs import count_parameters
from blood_lib.study.painter import draw_smear

SMALL = DetectorRecipe(
    view_size=96, widths=(4, 8, 8, 8, 8), n_epochs=2, epoch_views=8, batch_size=4, off_scale_probability=0.0
)


@pytest.fixture(scope="module")
def fields(tmp_path_factory) -> list[Field]:
    """Four drawn fields with all boxes, to train on."""
    drawn = draw_fields(tmp_path_factory.mktemp("drawn"), 6, cell_types=["monocyte"], most_cells=1)
    return [field for field in drawn if field.split == "train"]


# --- targets and views ---


def test_targets_decode_to_the_boxes_they_were_made_of():
    boxes = np.array([[10, 12, 58, 60], [50, 20, 78, 50], [70, 70, 79, 80]], np.float32)
    targets = build_targets(boxes, np.array([0, 1, 2]), 96, boxed=(0, 1, 2))
    rows = np.arange(24) + 0.5
    corners = targets.boxes
    maps = np.stack(
        [
            (corners[:, 0] + corners[:, 2]) / 2 - rows[None, None],
            (corners[:, 1] + corners[:, 3]) / 2 - rows[None, :, None],
            np.log(np.maximum(corners[:, 2] - corners[:, 0], 1e-3)),
            np.log(np.maximum(corners[:, 3] - corners[:, 1], 1e-3)),
        ],
        1,
    ).reshape(12, 24, 24)
    found, kinds, _ = decode(targets.heat, maps, stride=STRIDE, lowest=0.9)
    order = np.argsort(kinds)
    assert found[order] == pytest.approx(boxes, abs=1e-3)


def test_what_is_not_boxed_is_unknown_but_for_the_middle_of_other_cells():
    box = np.array([[32, 32, 64, 64]], np.float32)
    targets = build_targets(box, np.array([WHITE]), 96, boxed=(WHITE,))
    assert targets.known[WHITE].all()
    assert not targets.known[RED][:8].any() and targets.known[RED][11:13, 11:13].all()
    assert not targets.heat[[RED, PLATELET]].any()


def test_a_doubtful_cell_is_neither_there_nor_absent():
    boxes = np.array([[8, 8, 40, 40], [60, 60, 90, 90]], np.float32)
    targets = build_targets(
        boxes, np.array([RED, RED]), 96, boxed=(0, 1, 2), doubtful=np.array([True, False])
    )
    assert not targets.known[RED][3:9, 3:9].any() and targets.known[RED][12:].all()
    assert (targets.heat[RED] == 1).sum() == 1


def test_a_view_shows_cells_where_its_targets_say(fields):
    recipe = replace(SMALL, view_size=128, scale=1.2, round_probability=0.0, writing_probability=0.0)
    canvas, rng = load_canvas(fields[0], recipe), np.random.default_rng(0)
    dark = []
    for _ in range(60):
        view = draw_view(canvas, recipe, rng)
        for row, column in np.argwhere(view.targets.heat[WHITE] == 1):
            left, top, right, bottom = view.targets.boxes[WHITE, :, row, column] * STRIDE
            if min(left, top) > 2 and max(right, bottom) < 126:
                inside = view.pixels[int(top) + 8 : int(bottom) - 8, int(left) + 8 : int(right) - 8]
                dark.append(inside.mean() < 175)
                assert 28 * 1.2 < right - left < 28 * 3.2
    assert len(dark) > 3 and np.mean(dark) > 0.9


def test_a_view_of_another_scale_has_no_cells_at_all(fields):
    recipe = replace(SMALL, off_scale_probability=1.0)
    view = draw_view(load_canvas(fields[0], recipe), recipe, np.random.default_rng(0))
    assert not view.targets.heat.any() and view.targets.known.all()


def test_the_same_seed_draws_the_same_view(fields):
    canvas = load_canvas(fields[1], SMALL)
    a, b, c = (draw_view(canvas, SMALL, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(a.pixels, b.pixels) and not np.array_equal(a.pixels, c.pixels)


# --- loss ---


def test_right_maps_have_a_small_loss_and_wrong_ones_a_large_one():
    heat = torch.zeros(1, 1, 8, 8)
    heat[0, 0, 4, 4] = 1
    known = torch.ones_like(heat)
    right, wrong = torch.where(heat == 1, 6.0, -6.0), torch.where(heat == 1, -6.0, 6.0)
    assert heat_loss(right, heat, known) < 0.01 < 1 < heat_loss(wrong, heat, known)
    assert heat_loss(wrong, heat, torch.zeros_like(known)) == 0


def test_boxes_that_fit_have_no_loss():
    heat = torch.zeros(1, 1, 8, 8)
    heat[0, 0, 4, 2] = 1
    boxes = torch.zeros(1, 1, 4, 8, 8)
    boxes[0, 0, :, 4, 2] = torch.tensor([1.5, 3.5, 3.5, 5.5])
    maps = torch.zeros(1, 4, 8, 8)
    maps[0, 2:, 4, 2] = torch.log(torch.tensor(2.0))
    assert giou_loss(maps, boxes, heat) == pytest.approx(0, abs=1e-6)
    maps[0, 0, 4, 2] = 9
    assert giou_loss(maps, boxes, heat) > 1


def test_cells_that_a_laboratory_missed_are_not_unlearned():
    heat, boxes = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 4, 8, 8)
    logits = torch.full((1, 3, 8, 8), -9.0)
    logits[0, WHITE, 2, 2] = 3.0
    of = {"heat": heat, "known": torch.ones_like(heat), "boxes": boxes, "box_weight": 1.0, "doubt": 0.6}
    output = logits, torch.zeros(1, 12, 8, 8)
    missed = torch.tensor([[True, False, False]])
    assert compute_loss(output, **of, doubtful=missed) < 0.01 < 1 < compute_loss(output, **of)
    assert compute_loss(output, **of, doubtful=~missed) > 1


# --- training ---


def test_the_network_has_a_map_of_every_kind_at_a_quarter_of_the_size():
    heat, boxes = DetectorNetwork().eval()(torch.zeros(2, 3, 64, 96))
    assert heat.shape == (2, len(KINDS), 16, 24) and boxes.shape == (2, 4 * len(KINDS), 16, 24)
    assert 2e5 < count_parameters(DetectorNetwork()) < 5e5


def test_steps_on_one_batch_learn_it(fields):
    torch.manual_seed(0)
    network = DetectorNetwork(SMALL.widths)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    views = [draw_view(load_canvas(field, SMALL), SMALL, np.random.default_rng(0)) for field in fields]
    losses = [train_step(network, optimiser, views, SMALL) for _ in range(30)]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:2])


def test_a_batch_keeps_its_pixels_in_range(fields):
    views = [draw_view(load_canvas(fields[0], SMALL), SMALL, np.random.default_rng(i)) for i in range(6)]
    x, heat, known, boxes, missed = build_batch(views, SMALL)
    assert x.shape == (6, 3, 96, 96) and x.min() >= 0 and x.max() <= 255
    assert heat.shape == known.shape == (6, 3, 24, 24) and boxes.shape == (6, 3, 4, 24, 24)
    assert not missed.any()


def test_a_run_that_was_cut_off_ends_where_it_would_have_ended(fields, tmp_path):
    whole = train_detector(fields, SMALL, tmp_path / "whole", say=lambda _: None)

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_detector(fields, SMALL, tmp_path / "cut", say=stop)
    train_detector(fields, SMALL, tmp_path / "cut", say=lambda _: None)
    again, recipe = load_detector(tmp_path / "cut")
    assert recipe == SMALL
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert len((tmp_path / "cut" / "log.csv").read_text().splitlines()) == 2


def test_a_folder_holds_one_recipe_and_a_start_is_the_one_named(fields, tmp_path):
    train_detector(fields, replace(SMALL, n_epochs=1), tmp_path, say=lambda _: None)
    with pytest.raises(BloodError, match="another recipe"):
        train_detector(fields, SMALL, tmp_path)
    with pytest.raises(BloodError, match="weights that its recipe names"):
        train_detector(fields, SMALL, tmp_path / "new", start=load_detector(tmp_path)[0])
    with pytest.raises(BloodError, match="no trained detector"):
        load_detector_of(tmp_path / "none")


def load_detector_of(folder: Path) -> None:
    folder.mkdir()
    (folder / "recipe.json").write_text(SMALL.to_json())
    load_detector(folder)


def test_a_recipe_that_cannot_be_is_told():
    assert DetectorRecipe.from_json(SMALL.to_json()) == SMALL
    before = SMALL.to_json().replace('"pseudo_labels"', '"lessons"')
    assert DetectorRecipe.from_json(before) == SMALL
    before = SMALL.to_json().replace('"exposure_probability": 0.5', '"seed": 0')
    assert DetectorRecipe.from_json(before).exposure_probability == 0
    with pytest.raises(BloodError, match="Leave out some of bccd"):
        DetectorRecipe(without=("nowhere",))
    with pytest.raises(BloodError, match="multiple of 32"):
        DetectorRecipe(view_size=100)


# --- export ---


def test_the_exported_network_says_what_torch_says():
    import openvino as ov

    torch.manual_seed(1)
    network = DetectorNetwork()
    with torch.no_grad():
        for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)):
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 2)
    content = export_detector(network)
    assert len(content) < MAX_BYTES
    run = ov.Core().compile_model(
        ov.Core().read_model(content, b""), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    for height, width in ((64, 64), (96, 160)):
        x = 255 * torch.rand(1, 3, height, width)
        heat, boxes = (run([x.numpy()])[i] for i in (0, 1))
        with torch.no_grad():
            logits, maps = network.eval()(x)
        assert heat == pytest.approx(logits.sigmoid().numpy(), abs=5e-3)
        assert boxes == pytest.approx(maps.numpy(), abs=2e-2)


@pytest.fixture(scope="module")
def learned(fields, tmp_path_factory):
    """A detector that has seen four drawn fields for long enough to find cells like theirs."""
    recipe = DetectorRecipe(
        view_size=128,
        widths=(8, 16, 24, 24, 24),
        n_epochs=30,
        epoch_views=64,
        lr=1e-2,
        round_probability=0.0,
        exposure_probability=0.0,
    )
    network = train_detector(fields, recipe, tmp_path_factory.mktemp("run"), say=lambda _: None)
    return build_detector(network, recipe)


@pytest.mark.slow
def test_a_trained_detector_finds_drawn_cells_at_a_scale_that_it_finds_itself(learned):
    smear = draw_smear(["monocyte", "monocyte"], width=640, height=480, red_cell=90, seed=77)
    found = learned(smear.image)
    assert found.ruler.is_sound and found.ruler.diameter == pytest.approx(90, rel=0.15)
    truth = np.array([(x - r, y - r, x + r, y + r) for x, y, r in smear.cells])
    boxes = found.boxes[found.with_role("named")]
    assert (compute_iou(truth, boxes).max(1, initial=0) > 0.5).all() and len(boxes) == 2


@pytest.mark.slow
def test_pseudo_labels_are_what_a_detector_finds_where_boxes_are_missing(learned, fields):
    poor = replace(fields[0], boxes=fields[0].of_kind(WHITE), kinds=np.array([WHITE]), boxed=(WHITE,))
    labels = find_pseudo_labels([poor], learned)
    (rich,) = add_pseudo_labels([poor], labels)
    assert rich.boxed == (0, 1, 2) and len(rich.of_kind(WHITE)) == 1
    red = rich.boxes[(rich.kinds == RED) & ~rich.doubts]
    hits = compute_iou(red, fields[0].of_kind(RED)).max(1) > 0.5
    assert len(red) > 5 and hits.mean() > 0.8
