"""An assessment as one HTML page with its plots inside: it needs no other file and no network.

The numbers come from `assessment`, the drawings from `plots`.
"""

import io
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blood_lib.study.evaluate.assessment import Assessment, format_table
from blood_lib.study.plots import plot_confusion, plot_recalls, plot_reliability, plot_risks

__all__ = ["build_page"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1b1b; background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
"""


def build_page(assessment: Assessment, title: str, facts: Mapping[str, str]) -> str:
    """The page; `facts`: what was measured on what, in words. Every text is escaped."""
    a, n_classes = assessment, len(assessment.classes)
    body = [
        _list(facts),
        "<h2>Figures</h2>",
        _table(format_table(a.figures)),
        "<h2>Statuses</h2>",
        _table(format_table(a.statuses)),
        "<h2>Each class</h2>",
        _draw("Recall of each class", lambda ax: plot_recalls(ax, a.classes), height=1 + 0.4 * n_classes),
        _table(format_table(a.classes)),
        "<h2>What is taken for what</h2>",
        _draw("Confusion matrix", lambda ax: plot_confusion(ax, a.confusion), height=2 + 0.5 * n_classes),
        "<h2>Is the confidence deserved?</h2>",
        _draw("Reliability diagram", lambda ax: plot_reliability(ax, a.reliability)),
        _table(format_table(a.reliability)),
        "<h2>Fewer answers, fewer errors</h2>",
        _draw("Coverage against risk", lambda ax: plot_risks(ax, *a.risks, a.coverage)),
        _table(format_table(a.coverage)),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n'
        f"<body><h1>{escape(title)}</h1>\n{''.join(body)}</body></html>\n"
    )


def _list(facts: Mapping[str, str]) -> str:
    items = "".join(f"<li>{escape(name)}: {escape(text)}</li>" for name, text in facts.items())
    return f"<ul>{items}</ul>\n"


def _table(table: pd.DataFrame) -> str:
    return f'<div class="wide">{table.to_html(index=False, border=0)}</div>\n'  # escapes every cell


def _draw(title: str, plot: Callable[[Axes], Axes], *, height: float = 4.2) -> str:
    """What `plot` draws, as SVG with its texts as text; the same numbers give the same bytes."""
    settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": title}
    with matplotlib.rc_context(settings), io.StringIO() as file:
        figure = Figure(figsize=(7, height), layout="constrained")
        plot(figure.subplots())
        figure.savefig(file, format="svg", metadata={"Date": None})
        svg = file.getvalue()
    return f'<figure role="img" aria-label="{escape(title)}">{svg[svg.index("<svg") :]}</figure>\n'
