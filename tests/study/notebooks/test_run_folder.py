"""What a run's folder says of its notebooks, and what of it a later call keeps."""

import json
from pathlib import Path

from blood_lib.study.notebooks.run_folder import (
    Done,
    RunFolder,
    find_last_begun,
    first_line,
    tags_of,
    title_of,
)


def write(path: Path, *cells: dict) -> Path:
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def code(source: str, *, begun: bool = True, tags: tuple[str, ...] = (), html: str = "") -> dict:
    metadata = {
        "papermill": {"start_time": "now" if begun else None},
        **({"tags": list(tags)} if tags else {}),
    }
    outputs = [{"data": {"text/html": [html]}}] if html else []
    return {"cell_type": "code", "metadata": metadata, "source": [source], "outputs": outputs}


def text(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": [source]}


def test_a_notebook_is_called_what_its_first_line_says(tmp_path):
    assert title_of(write(tmp_path / "01_a.ipynb", text("# What is it?\nMore."))) == "What is it?"
    assert title_of(write(tmp_path / "02_b.ipynb")) == "02_b"


def test_the_cell_begun_last_is_found_by_its_first_line(tmp_path):
    cells = code("a = 1"), text("words"), code("\n  \nb = 2\nc = 3"), code("d = 4", begun=False)
    assert find_last_begun(write(tmp_path / "a.ipynb", *cells)) == "b = 2"
    assert find_last_begun(write(tmp_path / "b.ipynb", text("words"))) == ""
    assert first_line("\n\n  x\ny") == "  x" and first_line(" \n") == ""


def test_tags_are_told_where_there_are_any():
    assert tags_of(code("a", tags=("key", "slow"))) == ["key", "slow"]
    assert tags_of(text("a")) == []


def test_a_later_call_finds_what_was_done_but_for_what_it_does_again(tmp_path):
    notebooks = [write(tmp_path / f"0{i}_n.ipynb", text(f"# Number {i}")) for i in (2, 1)]
    done = [Done(path, path.with_suffix(".html"), {"seed": 3}, 61.4) for path in notebooks]
    RunFolder(tmp_path, "quick", [], done).save()
    found = RunFolder.open(tmp_path, "quick", again=["01_n.ipynb"])
    assert [(one.notebook, one.page.name, one.parameters, one.seconds) for one in found.done] == [
        (tmp_path / "02_n.ipynb", "02_n.html", {"seed": 3}, 61)
    ]
    assert RunFolder.open(tmp_path / "empty", "quick").done == []


def test_the_page_links_each_notebook_shows_its_key_tables_and_escapes_what_stopped_it(tmp_path):
    table = code("t", tags=("key",), html="<table>of 7</table>")
    path = write(tmp_path / "01_n.ipynb", text("# <One>"), table, code("u", html="<table>not key</table>"))
    RunFolder(tmp_path, "quick", [], [Done(path, path.with_suffix(".html"), {}, 5.0)], "a < b").save()
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert '<a href="01_n.html">&lt;One&gt;</a>' in page and "<td>5 s</td>" in page
    assert "of 7" in page and "not key" not in page and "Stopped:</strong> a &lt; b" in page


def test_a_table_is_told_with_the_images_that_the_last_call_for_it_ran_on(tmp_path):
    table = code("t", tags=("key",), html="<table>of 7</table>")
    path = write(tmp_path / "01_n.ipynb", text("# One"), table)
    machine = {"gpus": [], "processor": "some", "cores": 2}
    starts = [
        {"time": "", "profile": "quick", "machine": machine, "data": {"01_n": {"images": one, "files": ""}}}
        for one in ("3 of 17,093 published files", "drawn cells, not the dataset")
    ]
    RunFolder(tmp_path, "quick", starts, [Done(path, path.with_suffix(".html"), {}, 5.0)]).save()
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<p>On drawn cells, not the dataset.</p>" in page and "<p>On 3 of" not in page


def test_the_page_links_what_a_stopped_notebook_got_to_where_it_got_anywhere(tmp_path):
    RunFolder(tmp_path, "quick", error="no kernel", failed="02_n.ipynb").save()
    assert "02_n.html" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    (tmp_path / "02_n.html").write_text("some")
    RunFolder(tmp_path, "quick", error="a < b", failed="02_n.ipynb").save()
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'a &lt; b <a href="02_n.html">' in page and 'href="run.json"' in page
