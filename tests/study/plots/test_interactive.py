"""A map that answers to the pointer tells of every point, by colour and by sign, and asks no other host."""

import json
import re

import pytest

pytest.importorskip("plotly", reason="needs the extra `study`")

import numpy as np
import pandas as pd

from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.plots.interactive import MIME_TYPE, build_map, to_html


@pytest.fixture
def shown():
    """1,000 points in all cell types, the first two in doubt; what a notebook keeps of them."""
    labels = np.resize([cell_type.name for cell_type in CELL_TYPES], 1000)
    points = np.random.default_rng(0).normal(0, 30, (1000, 2))
    told = pd.DataFrame({"file": [f"folder/{i}.jpg" for i in range(1000)], "model": "monocyte (97%)"})
    figure = build_map(points, labels, told, ringed=np.arange(1000) < 2, title="A map")
    return json.loads(json.dumps(figure._repr_mimebundle_()))


def test_every_point_tells_its_file_its_label_and_the_answer(shown):
    *traces, rings = shown[MIME_TYPE]["data"]
    assert sum(len(trace["x"]) for trace in traces) == 1000 and len(rings["x"]) == 2
    for trace, cell_type in zip(traces, CELL_TYPES, strict=True):
        assert trace["customdata"][0] == [f"folder/{CELL_TYPES.index(cell_type)}.jpg", "monocyte (97%)"]
        assert trace["marker"]["color"] == cell_type.colour
        assert {"label: " + cell_type.name, "file: %{customdata[0]}"} <= set(
            re.split("<br>|<extra>", trace["hovertemplate"])
        )
    assert len({trace["marker"]["symbol"] for trace in traces}) == len(CELL_TYPES)


def test_a_notebook_with_it_stays_small_and_holds_no_script(shown):
    assert set(shown) == {MIME_TYPE, "text/plain"} and len(json.dumps(shown)) < 200_000
    assert "http" not in json.dumps(shown)


def test_a_page_draws_it_with_the_script_that_it_brings(shown):
    first, second = (to_html(shown[MIME_TYPE], with_script=script) for script in (True, False))
    assert len(first) > 1e6 > len(second) and "Plotly.newPlot" in second
    assert not re.findall(r"<script[^>]*src", first)
