"""Figures of the study, drawn on axes that are given: arrays and tables in, matplotlib Axes out."""

from blood_lib.study.plots.dataset import plot_counts, plot_images, plot_shares
from blood_lib.study.plots.detection import (
    plot_boxes,
    plot_froc,
    plot_precision_recall,
    plot_rulers,
    plot_scale_worth,
)
from blood_lib.study.plots.heat import plot_heat, plot_mean_heat
from blood_lib.study.plots.maps import mark_points, plot_clusters, plot_composition, plot_map, plot_variance
from blood_lib.study.plots.quality import (
    plot_confused,
    plot_confusion,
    plot_groups,
    plot_recalls,
    plot_reliability,
    plot_risks,
)
from blood_lib.study.plots.style import COLOURS, add_legend, plot_intervals, stamp

__all__ = [
    "COLOURS",
    "add_legend",
    "mark_points",
    "plot_boxes",
    "plot_clusters",
    "plot_composition",
    "plot_confused",
    "plot_confusion",
    "plot_counts",
    "plot_froc",
    "plot_groups",
    "plot_heat",
    "plot_images",
    "plot_intervals",
    "plot_map",
    "plot_mean_heat",
    "plot_precision_recall",
    "plot_recalls",
    "plot_reliability",
    "plot_risks",
    "plot_rulers",
    "plot_scale_worth",
    "plot_shares",
    "plot_variance",
    "stamp",
]
