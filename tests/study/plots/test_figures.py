"""Plots draw what the table holds, with the same colour for a cell type everywhere."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

plt = pytest.importorskip("matplotlib.pyplot")

from matplotlib.colors import to_hex

from blood_lib.study import plots
from blood_lib.study.cells import CELL_TYPES

NAMES = [cell_type.name for cell_type in CELL_TYPES]


@pytest.fixture
def ax():
    return plt.subplots()[1]


def test_the_colours_are_those_of_the_table():
    assert {cell_type.name: cell_type.colour for cell_type in CELL_TYPES} == plots.COLOURS


def test_bars_are_as_long_as_the_counts(ax):
    counts = pd.DataFrame({"cell_type": ["monocyte", "platelet", "platelet"], "subtype": list("abc")})
    plots.plot_counts(ax, counts.assign(images=[5, 3, 4]))
    lengths = [(to_hex(bar.get_facecolor()), bar.get_width()) for bar in ax.patches]
    colours = plots.COLOURS
    assert lengths == [(colours["monocyte"], 5), (colours["platelet"], 4), (colours["platelet"], 3)]
    assert [text.get_text() for text in ax.texts if text.get_text().strip().isdigit()] == [" 5", " 7"]


def test_a_map_has_one_colour_per_cell_type(ax):
    plots.plot_map(ax, np.arange(32).reshape(16, 2), NAMES * 2)
    (points,) = ax.collections
    assert [to_hex(colour) for colour in points.get_facecolor()] == list(plots.COLOURS.values()) * 2
    assert len(points.get_offsets()) == 16


def test_a_map_without_some_types_is_drawn_all_the_same(ax):
    plots.plot_map(ax, np.zeros((1, 2)), ["monocyte"])
    assert sum(len(c.get_offsets()) for c in ax.collections) == 1


def test_mean_heat_of_all_types_is_on_one_scale():
    figure = plots.plot_mean_heat(plt.figure(), {"monocyte": np.eye(4), "platelet": np.eye(4) * 3}, 0.4)
    pictures = [ax.images[0] for ax in figure.axes[:2]]
    assert {picture.get_clim() for picture in pictures} == {(0, 3)}
    (square,) = figure.axes[0].patches
    assert square.get_bbox().bounds == pytest.approx((0.3, 0.3, 0.4, 0.4))


def test_composition_stacks_to_the_size_of_each_cluster(ax):
    plots.plot_composition(ax, ["monocyte", "platelet", "platelet"], np.array([0, 0, 1]))
    assert [text.get_text() for text in ax.texts] == ["2", "1"]


def test_clusters_are_numbered_from_one(ax):
    plots.plot_clusters(ax, np.random.default_rng(0).normal(size=(6, 2)), np.array([0, 0, 1, 1, 2, 2]))
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]
    assert len({tuple(points.get_facecolor()[0]) for points in ax.collections}) == 3


def test_a_confusion_has_its_counts_and_each_row_the_shade_of_its_share(ax):
    confusion = pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "b"])
    plots.plot_confusion(ax, confusion)
    assert [text.get_text() for text in ax.texts] == ["3", "1", "", ""]
    assert ax.collections[0].get_array().ravel().tolist() == [0.75, 0.25, 0, 0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("answer", "label")


def test_accuracy_stands_against_confidence_with_its_images(ax):
    bins = pd.DataFrame({"confidence": [0.6, 0.9], "accuracy": [0.5, 1.0], "n": [4, 1000]})
    plots.plot_reliability(ax, bins.assign(accuracy_low=0.2, accuracy_high=1.0))
    assert ax.lines[-1].get_xydata().tolist() == [[60, 50], [90, 100]]
    assert [text.get_text() for text in ax.texts] == ["4", "1,000"]


def test_the_risk_of_what_is_kept_stays_in_sight(ax):
    points = pd.DataFrame({"n": [2, 4], "risk_low": [0.0, 0.1], "risk_high": [0.3, 0.4]})
    plots.plot_risks(ax, np.array([0.25, 0.5, 0.75, 1.0]), np.array([0, 0, 0.2, 0.25]), points)
    assert ax.lines[0].get_xydata().tolist() == [[25, 0], [50, 0], [75, 20], [100, 25]]
    assert ax.get_ylim() == (0, pytest.approx(44))


def test_the_axis_of_recalls_begins_near_the_lowest_and_no_images_have_none(ax):
    ends = pd.DataFrame({"recall": [0.95, 1.0, np.nan], "recall_low": [0.9, 0.96, 0], "recall_high": 1.0})
    plots.plot_recalls(ax, ends.assign(name=NAMES[:3], n=[100, 90, 0]))
    low, high = ax.get_xlim()
    assert 85 < low < 90 and 100 < high < 105
    assert len(ax.lines) == 2 * 2  # an interval and a point of each that has images
    assert [label.get_text() for label in ax.get_yticklabels()][2] == f"{NAMES[2]} (n = 0)"


def test_intervals_begin_on_top_and_have_room_around_them(ax):
    plots.plot_intervals(ax, ["one", "two"], [(0.5, 0.4, 0.6)] * 2, ["red", "blue"], label="share (%)")
    bottom, top = ax.get_ylim()
    assert top < 0 and bottom > 1


def test_shares_have_an_interval_that_holds_them(ax):
    table = pd.DataFrame({"cell_type": ["monocyte", "all"], "subtype": ["monocyte", ""], "images": 100})
    plots.plot_shares(ax, table.assign(test=10), "test", 10)
    interval, point = ax.lines[0].get_xdata(), ax.lines[1].get_xdata()
    assert interval[0] < point[0] == 10 < interval[1]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["monocyte (n = 100)"]


def test_variance_adds_up(ax):
    plots.plot_variance(ax, np.array([0.5, 0.25]))
    assert ax.lines[0].get_ydata().tolist() == [50, 75]


def test_every_image_is_shown_under_its_label():
    images = [Image.new("RGB", (8, 8))] * 3
    figure = plots.plot_images(plt.figure(), images, ["monocyte", "immature granulocyte", "x"], columns=2)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["monocyte", "immature\ngranulocyte", "x", ""]
    assert not any(ax.axison for ax in figure.axes)


def test_a_stamp_says_what_a_figure_was_made_from():
    figure = plt.figure()
    plots.stamp(figure, "")
    assert not figure.texts
    plots.stamp(figure, "drawn cells")
    assert figure.texts[0].get_text() == "drawn cells"


def test_the_legend_names_every_cell_type():
    figure, _ = plt.subplots(layout="constrained")
    plots.add_legend(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == NAMES


def test_heat_lies_over_every_view():
    views, cams = np.zeros((2, 16, 16, 3), np.uint8), np.ones((2, 4, 4), np.float32)
    figure = plots.plot_heat(plt.figure(), views, cams, ["monocyte", "platelet"], columns=3)
    assert [len(ax.images) for ax in figure.axes] == [2, 2, 0]
    assert figure.axes[0].images[1].get_array().shape == (16, 16)


def test_no_image_is_no_error():
    assert not plots.plot_images(plt.figure(), [], []).axes[0].axison


def test_marked_points_are_counted(ax):
    plots.mark_points(ax, np.zeros((2, 2)), "doubted", colour="grey")
    plots.mark_points(ax, np.zeros((3, 2)), "flagged")
    assert [to_hex(rings.get_edgecolor()[0]) for rings in ax.collections] == ["#808080", "#000000"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["doubted (2)", "flagged (3)"]


def test_a_subtype_without_images_has_a_name_and_no_point(ax):
    table = pd.DataFrame({"cell_type": "neutrophil", "subtype": ["band", "other"], "n": [4, 0]})
    shares = {"share": [0.25, np.nan], "share_low": [0.01, np.nan], "share_high": [0.8, np.nan]}
    plots.plot_confused(ax, table.assign(taken_for_other=[1, 0], **shares))
    assert [line.get_xdata().tolist() for line in ax.lines] == [[1, 80], [25]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["band (1 of 4)", "other (0 of 0)"]


def test_groups_are_boxes_with_all_their_points(ax):
    groups = {"some": np.array([0.1, 0.2, 0.6, np.nan]), "none": np.array([])}
    plots.plot_groups(ax, groups, 0.5)
    points = [line.get_xdata() for line in ax.lines if line.get_marker() == "."]
    assert sorted(points[0]) == pytest.approx([10, 20, 60]) and len(points[1]) == 0
    assert [label.get_text() for label in ax.get_yticklabels()] == ["some (n = 4)", "none (n = 0)"]
    assert 50 in [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata())]


def test_curves_of_a_detector_are_drawn_in_per_cent_with_a_dot_where_it_is_served(ax):
    curve = pd.DataFrame({"score": [0.9, 0.5, 0.1], "recall": [0.5, 0.9, 1], "precision": [1, 0.9, 0.5]})
    curve["per field"] = [0, 0.1, 0.9]
    plots.plot_froc(ax, {"a": curve}, 0.4)
    line, dot = ax.lines
    assert line.get_ydata().tolist() == [50, 90, 100]
    assert (dot.get_xdata().tolist(), dot.get_ydata().tolist()) == ([0.1], [90])
    plots.plot_precision_recall(plt.subplots()[1], {"a": curve})


def test_rulers_that_are_not_sound_are_drawn_hollow(ax):
    rulers = pd.DataFrame({"fields of": ["a"] * 3, "cells": [9, 8, 2], "sound": [True, True, False]})
    plots.plot_rulers(ax, rulers.assign(ratio=[1.1, 0.9, 1.3]))
    marks = {tuple(line.get_xdata()): line.get_fillstyle() for line in ax.lines[:2]}
    assert marks == {(2,): "none", (9, 8): "full"}


def test_each_box_of_a_field_is_drawn(ax):
    boxes = np.array([[1, 2, 5, 8], [3, 3, 9, 9]], float)
    plots.plot_boxes(ax, Image.new("RGB", (20, 20)), [(boxes, "red", "-"), (boxes[:0], "blue", "--")])
    assert [patch.get_bbox().bounds for patch in ax.patches] == [(1, 2, 4, 6), (3, 3, 6, 6)]


def test_the_worth_of_scale_has_a_point_per_window(ax):
    worth = pd.DataFrame({"window": ["as published", "4.5"], "accuracy": [0.4, 0.6], "ok": [0.0, 0.3]})
    plots.plot_scale_worth(ax, worth.assign(accuracy_low=[0.3, 0.5], accuracy_high=[0.5, 0.7]))
    assert ax.lines[0].get_ydata().tolist() == [40, 60]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["as published", "4.5"]
