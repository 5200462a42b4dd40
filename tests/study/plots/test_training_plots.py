"""Figures of trainings: what is in the table is what is drawn."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from matplotlib import pyplot as plt

from blood_lib.study.plots import training_plots
from blood_lib.study.train.lr_finder import LearningRates

LOG = pd.DataFrame({"epoch": [1, 2], "train_loss": [2.0, 1.0], "valid_loss": [1.5, 0.5]})
TABLE = pd.DataFrame(
    {"name": ["a", "b"], "accuracy": [0.9, 0.8], "low": [0.85, 0.7], "high": [0.95, 0.9], "n": 100}
).assign(initialisation=["imagenet", "random"], cost=[10.0, 1000.0])


def test_both_losses_of_each_training_are_drawn():
    ax = training_plots.plot_losses(plt.figure().add_subplot(), {"one": LOG, "other": LOG + 1})
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[2.0, 1.0], [1.5, 0.5]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "other"]


def test_a_suggestion_lies_on_the_curve():
    rates = np.geomspace(1e-6, 1, 7)
    found = LearningRates(rates, np.linspace(3, 1, 7), dict.fromkeys("abcd", 1e-3))
    ax = training_plots.plot_lr_finder(plt.figure().add_subplot(), found)
    assert len(ax.lines) == 5
    assert float(ax.lines[1].get_ydata()[0]) == pytest.approx(2)


def test_accuracies_have_their_intervals_in_per_cent():
    ax = training_plots.plot_accuracies(plt.figure().add_subplot(), TABLE)
    assert np.allclose(ax.lines[0].get_xdata(), [85, 95]) and np.allclose(ax.lines[1].get_xdata(), 90)
    assert "n = 100" in ax.get_xlabel()


def test_costs_tell_who_began_with_imagenet():
    table = TABLE.assign(name=["a, imagenet", "b, random"])  # which of the two the filling tells
    ax = training_plots.plot_costs(plt.figure().add_subplot(), table, "cost", "money")
    faces = {line.get_label(): line.get_markerfacecolor() for line in ax.lines}
    assert faces == {"imagenet": "C0", "random": "white"}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["imagenet", "random"]
    assert [text.get_text() for text in ax.texts] == ["a", "b"]


def test_a_name_stands_where_no_other_point_is():
    table = TABLE.assign(name=["a, imagenet", "b, random"], cost=[100, 120], accuracy=[0.9, 0.9])
    ax = training_plots.plot_costs(plt.figure().add_subplot(), table, "cost", "money")
    assert [text.get_ha() for text in ax.texts] == ["right", "left"]


def test_every_transform_has_a_row_with_its_name():
    view = np.full((32, 32, 3), 128, np.uint8)
    figure = training_plots.plot_tfms(plt.figure(), view, ["none", "zoom 2"], n=3)
    assert len(figure.axes) == 6
    assert [ax.get_ylabel() for ax in figure.axes[::3]] == ["none", "zoom 2"]
