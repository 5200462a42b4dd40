"""Scores of strangeness are higher for strangers, and the benchmarks that compare them run on tiny data."""

from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="needs the extra `study`")
pytest.importorskip("torch", reason="needs the extra `study`")
pytest.importorskip("skimage", reason="needs the extra `test`")

from benchmarks.doubt import held_out_class, ood_detection
from benchmarks.doubt.held_out_class import compute_auroc, share_flagged
from benchmarks.tools.ood_images import draw_sources
from benchmarks.tools.scores import Outputs, fit_scores
from blood_lib.atlas import Atlas
from blood_lib.study.train.recipe import Recipe
from tests.tools.fixtures_bundle import COLOURS, build_tiny_atlas, draw_cell, encode

HEAD = np.eye(3, 12, dtype=np.float32) * 6
SCORES = (
    "probability",
    "energy",
    "Mahalanobis",
    "neighbours",
    "residual",
    "relative residual",
    "residual or neighbours",
    "ViM",
    "served",
)


def _answer(features: np.ndarray) -> Outputs:
    return Outputs(features @ HEAD.T, features)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    """Three groups of cells in 12 dimensions, and the two axes between them."""
    atlas = build_tiny_atlas(np.random.default_rng(0))
    centred = atlas.features - atlas.features.mean(axis=0)
    atlas.pca_components = np.linalg.svd(centred, full_matrices=False)[2][:2].astype(np.float32)
    return atlas


@pytest.mark.parametrize("name", SCORES)
def test_a_stranger_scores_higher_than_a_known_cell(atlas: Atlas, name: str) -> None:
    known = _answer(atlas.features)
    stranger = _answer(np.tile(np.where(np.arange(12) == 9, -2, 0.3), (5, 1)).astype(np.float32))
    score = fit_scores(atlas, known, 1.0)[name]
    assert score(stranger).min() > np.quantile(score(known), 0.95)


def test_the_mahalanobis_distance_is_that_of_the_textbook(atlas: Atlas) -> None:
    from sklearn.covariance import LedoitWolf

    means = np.stack([atlas.features[atlas.target == c].mean(axis=0) for c in range(3)])
    covariance = LedoitWolf(assume_centered=True).fit(atlas.features - means[atlas.target]).covariance_
    x = np.linspace(-1, 1, 12, dtype=np.float32)
    squares = [(x - mean) @ np.linalg.inv(covariance) @ (x - mean) for mean in means]
    score = fit_scores(atlas, _answer(atlas.features), 1.0)["Mahalanobis"]
    assert score(_answer(x[None]))[0] == pytest.approx(np.sqrt(min(squares)), rel=1e-4)


def test_the_residual_is_what_the_axes_leave(atlas: Atlas) -> None:
    outside = np.linalg.svd(atlas.pca_components)[2][-1]  # at right angles to both axes
    x = atlas.pca_mean + 3 * atlas.pca_components[0] + 4 * outside
    scores = fit_scores(atlas, _answer(atlas.features), 1.0)
    assert scores["residual"](_answer(x[None]))[0] == pytest.approx(4, abs=1e-3)
    assert scores["relative residual"](_answer(x[None]))[0] == pytest.approx(4 / 5, abs=1e-3)


def test_either_of_residual_and_neighbours_is_enough_to_be_strange(atlas: Atlas) -> None:
    axes, known = atlas.pca_components, _answer(atlas.features)
    centres = np.stack([atlas.features[atlas.target == c].mean(axis=0) for c in range(3)])
    towards = (centres - atlas.pca_mean) @ axes.T
    between = atlas.pca_mean - 3 * towards[0] @ axes  # on the axes, where no cell is
    outside = centres[0] + 3 * np.linalg.svd(axes)[2][-1]
    scores = fit_scores(atlas, known, 1.0)
    either = scores["residual or neighbours"]
    assert scores["relative residual"](_answer(between[None]))[0] == pytest.approx(0, abs=1e-3)
    for stranger in (between, outside):
        assert either(_answer(stranger[None].astype(np.float32)))[0] > 1
    assert np.mean(either(known) > 1) < 0.02


def test_sources_are_drawn_alike_again_and_serve_one_purpose_each() -> None:
    sources, again = draw_sources(3), draw_sources(3)
    assert len({source.name for source in sources}) == len(sources)
    assert {source.to_choose for source in sources} == {True, False}
    for source, same in zip(sources, again, strict=True):
        assert len(source.images) == 3, source.name
        assert all(image.mode == "RGB" and min(image.size) >= 16 for image in source.images), source.name
        assert [i.tobytes() for i in source.images] == [i.tobytes() for i in same.images], source.name


@pytest.fixture
def external(tmp_path: Path) -> Path:
    for colour, code in COLOURS.items():
        (tmp_path / "lab" / colour).mkdir(parents=True)
        (tmp_path / "lab" / colour / "0.png").write_bytes(encode(draw_cell(code)))
    return tmp_path / "lab"


def test_each_score_flags_its_share_of_every_source(
    tiny_dataset, tiny_bundle, external, tmp_path, capsys
) -> None:
    out = tmp_path / "table.csv"
    options = ["--bundle", str(tiny_bundle.path), "--external", str(external), "--images", "2"]
    ood_detection.main([str(tiny_dataset), *options, "--max-images", "9", "--out", str(out)])
    said, table = capsys.readouterr().out, pd.read_csv(out)
    assert set(table["score"]) == set(SCORES)
    assert (
        table["share"].between(table["share_low"], table["share_high"]).sum() == table["share"].notna().sum()
    )
    flagged, left = (table[table["images"] == f"lab: {what}"] for what in ("flagged", "left ok"))
    assert (flagged["n"] == 3).all()
    assert (flagged["share"].to_numpy() + left["share"].to_numpy() <= 1).all()
    assert "mean of the sources to report" in said and "test split" in said


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    area, low, high = compute_auroc(np.array([1, 2, 3, 4]), np.array([2.5, 3, 5]))
    assert area == pytest.approx((2 + 2.5 + 4) / 12)
    assert 0 <= low < area < high <= 1
    assert compute_auroc(np.arange(5), np.arange(5) + 10) == (1, 1, 1)


def test_what_scores_above_nearly_all_known_cells_is_flagged() -> None:
    valid = np.arange(1000)  # 0.5 % of them are above 994
    assert share_flagged(valid, np.array([-5, 500, 994, 996, 2000])) == pytest.approx(2 / 5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_type_is_held_out_of_training_and_then_looked_for(
    tiny_dataset, tmp_path: Path, capsys, monkeypatch
) -> None:
    sizes, fit = [], Atlas.fit

    def watch(features, *rest, **how):
        sizes.append(len(features))
        return fit(features, *rest, **how)

    monkeypatch.setattr(Atlas, "fit", watch)
    taught = Recipe(arch="resnet18", teachers=("of all types",), distillation=0.5, lr=2e-3)
    (tmp_path / "recipe.json").write_text(taught.to_json())
    options = ["--types", "platelet", "--epochs", "1", "--image-size", "32", "--batch-size", "8"]
    options += ["--references", "3", "--recipe", str(tmp_path / "recipe.json"), "--initialisation", "random"]
    command = [str(tiny_dataset), str(tmp_path), *options]
    held_out_class.main(command)
    said, table = capsys.readouterr().out, pd.read_csv(tmp_path / "held_out_class.csv")
    assert set(table["score"]) == set(SCORES) and set(table["n_held_out"]) == {6}
    assert table[["auroc", "flagged"]].stack().between(0, 1).all() and "platelet" in said
    parts = pd.read_csv(tmp_path / "platelet" / "split.csv")
    counts = parts[parts["part"] == "train"]["cell_type"].value_counts()
    assert sizes == [counts.clip(upper=3).sum()] and sizes[0] < counts.sum()
    assert "platelet" not in set(pd.read_csv(tmp_path / "platelet" / "split.csv")["cell_type"])
    recipe = Recipe.from_json((tmp_path / "platelet" / "recipe.json").read_text())
    assert (recipe.arch, recipe.lr, recipe.n_epochs, recipe.teachers) == ("resnet18", 2e-3, 1, ())
    trained = (tmp_path / "platelet" / "model.pt").stat().st_mtime_ns
    held_out_class.main(command)
    assert said.endswith(capsys.readouterr().out)
    assert (tmp_path / "platelet" / "model.pt").stat().st_mtime_ns == trained  # not trained again
