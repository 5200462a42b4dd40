"""`blood study` runs notebooks in order, refuses unknown parameters, and says which cell failed."""

import base64
import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("papermill")

from blood_lib.__main__ import main
from blood_lib.files.errors import BloodError
from blood_lib.study.data.dataset import Dataset
from blood_lib.study.data.split import build_split
from blood_lib.study.notebooks import runner
from blood_lib.study.notebooks.profiles import check_parameters, list_notebooks, load_profile, plan
from blood_lib.study.notebooks.provenance import hash_data
from blood_lib.study.notebooks.publishing import hash_sources, publish_notebook
from blood_lib.study.notebooks.run_folder import Done, RunFolder, write_page
from blood_lib.study.notebooks.runner import run_study
from blood_lib.study.plots.interactive import MIME_TYPE


def write_notebook(path: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    """A notebook with a title, a cell of parameters, and a cell per source, all with `tags`."""
    parameters = nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]})
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# What is <in> it?"), parameters, *cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


TABLE = "from IPython.display import HTML\nHTML(f'<table><td>{n} cells</td></table>')"


@pytest.mark.slow
def test_notebooks_run_in_order_with_their_profile(tmp_path, capfd):
    write_notebook(tmp_path / "in/02_second.ipynb", "import sys\nprint('second', file=sys.stderr)")
    first = write_notebook(tmp_path / "in/01_first.ipynb", TABLE, tags=("key",))
    linked = nbformat.read(first, as_version=4)
    linked.cells.append(nbformat.v4.new_markdown_cell("[next](02_second.ipynb), [more](more.md)"))
    nbformat.write(linked, first)
    (tmp_path / "in/quick").mkdir()
    (tmp_path / "in/quick/01_first.yaml").write_text("n: 7\n")
    assert main(["study", "--notebooks", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "<td>7 cells</td>" in page and "What is &lt;in&gt; it?" in page
    assert page.index("01_first.html") < page.index("02_second.html")
    assert "second" in (tmp_path / "out/02_second.html").read_text(encoding="utf-8")
    linking = (tmp_path / "out/01_first.html").read_text(encoding="utf-8")
    assert '<a href="02_second.html">next</a>' in linking and '<a href="../in/more.md">more</a>' in linking
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert [row["name"] for row in record["notebooks"]] == ["01_first.ipynb", "02_second.ipynb"]
    for row in record["notebooks"]:
        assert f"<td>{row['seconds']} s</td>" in page
    assert record["notebooks"][0]["parameters"] == {"n": 7}
    told = capfd.readouterr()
    assert "1 of 2: 01_first" in told.out and told.err == "second\n"


@pytest.mark.slow
def test_a_notebook_is_told_its_profile_and_what_that_sets(tmp_path):
    path = write_notebook(tmp_path / "01_first.ipynb", "print(profile)")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = "n = 1\nm = 2\nprofile = ''"
    nbformat.write(notebook, path)
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/01_first.yaml").write_text("n: 7\nm: 8\n")
    run_study(tmp_path, tmp_path / "out", profile="cpu", parameters={"m": 9}, publish=True)
    assert nbformat.read(path, as_version=4).cells[2].outputs[0].text == "cpu: n = 7, m = 9\n"


@pytest.mark.slow
def test_a_failed_notebook_stops_the_run_and_names_the_cell(tmp_path):
    write_notebook(tmp_path / "01_first.ipynb", "print('done')", "\nlen(3)  # fails")
    write_notebook(tmp_path / "02_second.ipynb", "print('never')")
    with pytest.raises(
        BloodError, match=r"01_first.ipynb failed in cell \[3\], .*'len\(3\)  # fails': TypeErr"
    ):
        run_study(tmp_path, tmp_path / "out", say=lambda text: None)
    assert "done" in (tmp_path / "out/01_first.html").read_text(encoding="utf-8")
    index = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "Stopped" in index and 'href="01_first.html"' in index
    assert not (tmp_path / "out/02_second.ipynb").exists()


@pytest.mark.slow
def test_a_cell_that_ends_the_kernel_is_named_and_what_was_done_before_is_kept(tmp_path):
    write_notebook(tmp_path / "01_first.ipynb", "print('done')", "import os\nos._exit(1)", "print('never')")
    with pytest.raises(BloodError, match="lost its kernel .* in the cell that begins with 'import os'"):
        run_study(tmp_path, tmp_path / "out", say=lambda text: None)
    page = (tmp_path / "out/01_first.html").read_text(encoding="utf-8")
    assert "done" in page
    assert "Stopped" in (tmp_path / "out/index.html").read_text(encoding="utf-8")


def test_a_run_that_is_stopped_tells_what_it_ran_on(tmp_path, drawn_dataset, drawn_index, monkeypatch):
    path = write_notebook(tmp_path / "01_first.ipynb")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = "data_dir = ''\nmax_images = 0\nseed = 7"
    nbformat.write(notebook, path)

    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run_notebook", stop)
    for _ in range(2):  # the second time it goes on
        with pytest.raises(KeyboardInterrupt):
            run_study(tmp_path, tmp_path / "out", parameters={"data_dir": str(drawn_dataset)}, resume=True)
    starts = json.loads((tmp_path / "out/run.json").read_text())["starts"]
    assert [start["profile"] for start in starts] == ["quick", "quick"]
    assert starts[0]["machine"]["versions"]["numpy"] == np.__version__ and starts[0]["machine"]["processor"]
    split = build_split(drawn_index)
    assert starts[0]["parameters"]["01_first"]["seed"] == 7
    drawn = Dataset(drawn_dataset, drawn_index, "drawn cells, not the dataset")
    assert starts[0]["data"]["01_first"] == hash_data(drawn, split)
    assert starts[0]["machine"]["processor"] in (tmp_path / "out/index.html").read_text()


def test_a_run_goes_into_a_folder_of_its_date_unless_one_is_named(tmp_path, monkeypatch):
    seen = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "blood_lib.study.cli.study.run_study", lambda folder, out_dir, **options: seen.append(out_dir)
    )
    assert main(["study"]) == 0
    assert seen[0].parent == tmp_path / "runs"
    began = datetime.strptime(seen[0].name, "%Y-%m-%d_%H%M%S")
    assert abs(began - datetime.now()) < timedelta(minutes=1)


def test_the_first_page_has_one_heading_for_all_tables_of_a_notebook(tmp_path):
    path = write_notebook(tmp_path / "01_first.ipynb", "1", "2", tags=("key",))
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells[2:]:
        data = {"text/html": f"<table><td>{cell.source} wide</td></table>"}
        cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    nbformat.write(notebook, path)
    RunFolder(tmp_path, "quick", done=[Done(path, path.with_suffix(".html"), {}, 1.0)]).save()
    page = (tmp_path / "index.html").read_text()
    assert page.count("wide</td>") == 2 and page.count("<h2><a href") == 1
    assert page.count('<div class="table" tabindex="0">') == 2 and "overflow-x: auto" in page


def test_a_page_asks_no_other_host_for_anything(tmp_path):
    path = write_notebook(tmp_path / "01_first.ipynb", "1", "2")
    notebook = nbformat.read(path, as_version=4)
    state = {"model_id": {"model_name": "FloatProgressModel", "state": {}}}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    for cell in notebook.cells[2:]:
        figure = {"data": [{"x": [1], "y": [2]}], "layout": {}, "config": {}}
        cell.outputs = [nbformat.v4.new_output("display_data", data={MIME_TYPE: figure})]
    nbformat.write(notebook, path)
    page = write_page(path).read_text()
    assert "What is " in page
    assert page.count("Plotly.newPlot(") >= 2 and page.count("plotly.js v") == 1  # one script for both
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[^>]*//", page)
    assert "cdnjs" not in page and "unpkg" not in page


def test_links_of_a_page_lead_on(tmp_path):
    home, copy = tmp_path / "in/notebooks", tmp_path / "out/01_first.ipynb"
    text = (
        "[a](02_second.ipynb#why) [b](03_third.ipynb) [c](../README.md) [d](https://doi.org/10.1) [e](#why)"
    )
    write_notebook(copy)
    notebook = nbformat.read(copy, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell(text))
    nbformat.write(notebook, copy)
    page = write_page(copy, home, ["02_second.ipynb"]).read_text(encoding="utf-8")
    links = re.findall(r'<a href="([^"]*)"[^>]*>([a-e])</a>', page)
    assert dict((name, link) for link, name in links) == {
        "a": "02_second.html#why",
        "b": "../in/notebooks/03_third.ipynb",
        "c": "../in/notebooks/../README.md",
        "d": "https://doi.org/10.1",
        "e": "#why",
    }


def test_an_unknown_parameter_is_an_error_that_names_the_known_ones(tmp_path):
    notebook = write_notebook(tmp_path / "01_first.ipynb")
    with pytest.raises(BloodError, match="01_first.ipynb has no parameter m; it has n"):
        check_parameters(notebook, {"m": 1})


def test_a_parameter_for_all_is_had_by_one_of_them_at_least(tmp_path, monkeypatch, capsys):
    write_notebook(tmp_path / "01_first.ipynb")
    told = ["study", "--notebooks", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*told, "-p", "m", "[1, 2]"]) == 1
    assert "No notebook of this run has a parameter m; there are n." in capsys.readouterr().err
    assert main([*told, "-p", "n", "[1"]) == 1
    assert "The value of n is no YAML: [1." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

    def stop(path, out_dir, settings, **options):
        raise BloodError(str(settings))

    monkeypatch.setattr(runner, "run_notebook", stop)
    assert main([*told, "-p", "n", "3"]) == 1
    assert "{'n': 3}" in capsys.readouterr().err


def test_a_parameter_has_the_kind_that_the_notebook_gives_it(tmp_path):
    path = write_notebook(tmp_path / "01_first.ipynb")
    notebook = nbformat.read(path, as_version=4)
    lines = "n = 1", "rate = 1e-3", "seeds = [0]", "download = False", "weights_dir = ''", "profile = ''"
    notebook.cells[1].source = "\n".join(lines)
    nbformat.write(notebook, path)
    planned = plan(path, "quick", {"rate": "1e-2", "seeds": [1], "weights_dir": "/some/where"})
    assert (planned["rate"], planned["seeds"], planned["weights_dir"]) == (0.01, [1], "/some/where")
    assert planned["profile"] == "quick: rate = 0.01, seeds = [1], weights_dir = where"  # no machine's path
    for name, value in {"n": "two", "rate": "high", "seeds": 3, "download": 1, "weights_dir": 1}.items():
        with pytest.raises(BloodError, match=f"01_first.ipynb has {name} = .*: {value!r} is nothing of that"):
            run_study(tmp_path, tmp_path / "out", parameters={name: value})


def test_what_has_an_option_of_its_own_is_set_by_that(tmp_path, capsys):
    write_notebook(tmp_path / "01_first.ipynb")
    assert main(["study", "--notebooks", str(tmp_path), "-p", "profile", "full"]) == 1
    assert "profile cannot be set by -p: use --data, --out and --profile." in capsys.readouterr().err


def test_a_kernel_that_never_answers_is_told(tmp_path, monkeypatch):
    path = write_notebook(tmp_path / "01_first.ipynb")

    def execute(source, copy, *args, **options):
        Path(copy).write_bytes(path.read_bytes())
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr("papermill.execute_notebook", execute)
    with pytest.raises(BloodError, match="01_first.ipynb got no kernel .*kernel_info"):
        run_study(tmp_path, tmp_path / "out", say=lambda text: None)


def test_the_page_of_an_earlier_run_is_not_taken_for_that_of_a_notebook_without_a_kernel(
    tmp_path, monkeypatch
):
    from jupyter_client.kernelspec import NoSuchKernel

    def execute(*args, **options):
        raise NoSuchKernel("python3")

    write_notebook(tmp_path / "01_first.ipynb")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/01_first.html").write_text("of an earlier run")
    monkeypatch.setattr("papermill.execute_notebook", execute)
    with pytest.raises(BloodError, match="has no kernel .*install ipykernel"):
        run_study(tmp_path, tmp_path / "out", resume=True, say=lambda text: None)
    index = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "Stopped" in index and "01_first.html" not in index


def test_a_misspelt_profile_stops_the_run_before_anything_runs(tmp_path):
    write_notebook(tmp_path / "01_first.ipynb")
    write_notebook(tmp_path / "02_second.ipynb")
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/02_second.yaml").write_text("epochs: 3\n")
    with pytest.raises(BloodError, match="02_second.ipynb has no parameter epochs"):
        run_study(tmp_path, tmp_path / "out", profile="cpu")
    assert not (tmp_path / "out").exists()
    with pytest.raises(BloodError, match="no profile 'huge'; choose one of quick, cpu, full"):
        run_study(tmp_path, tmp_path / "out", profile="huge")


def test_a_profile_without_a_file_leaves_the_notebook_as_it_is(tmp_path):
    assert load_profile(write_notebook(tmp_path / "01_first.ipynb"), "full") == {}


def test_a_folder_without_notebooks_is_told(tmp_path):
    write_notebook(tmp_path / "draft.ipynb")
    with pytest.raises(BloodError, match="--notebooks"):
        list_notebooks(tmp_path)


def test_a_number_that_no_notebook_has_is_said(tmp_path):
    write_notebook(tmp_path / "01_first.ipynb")
    with pytest.raises(BloodError, match="no notebook that begins with 99"):
        run_study(tmp_path, tmp_path / "out", only=["99"])
    assert not (tmp_path / "out").exists()


def test_a_run_never_writes_into_a_folder_that_is_there(tmp_path):
    write_notebook(tmp_path / "01_first.ipynb")
    with pytest.raises(BloodError, match="name another folder, or go on in it with --resume"):
        run_study(tmp_path, tmp_path)


@pytest.mark.slow
def test_a_run_goes_on_in_its_folder_and_puts_what_it_executed_in_place(tmp_path):
    path = write_notebook(tmp_path / "01_first.ipynb", "print('done')")
    out = tmp_path / "out"
    (out / "trainings").mkdir(parents=True)
    run_study(tmp_path, out, resume=True, publish=True)
    assert (out / "trainings").is_dir() and (out / "index.html").is_file()
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[2].outputs[0].text == "done\n"
    assert notebook.metadata["executed_sources"] == hash_sources(notebook)
    notebook.cells[2].source = "print('changed')"
    assert notebook.metadata["executed_sources"] != hash_sources(notebook)
    assert main(["study", "--notebooks", str(tmp_path), "--out", str(out)]) == 1


@pytest.mark.slow
def test_a_run_in_pieces_has_one_page_in_the_order_of_the_notebooks(tmp_path):
    for name in ("01_first", "02_second"):
        write_notebook(tmp_path / f"{name}.ipynb", "1")
    for piece in ("02", "01"):
        run_study(tmp_path, tmp_path / "out", only=[piece], resume=True)
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert 0 < page.index("01_first.html") < page.index("02_second.html")
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert [row["name"] for row in record["notebooks"]] == ["01_first.ipynb", "02_second.ipynb"]


def test_to_resume_one_names_the_folder(tmp_path, capsys):
    write_notebook(tmp_path / "01_first.ipynb", "1")
    assert main(["study", "--notebooks", str(tmp_path), "--resume"]) == 1
    assert "name it with --out" in capsys.readouterr().err


def test_a_committed_figure_is_the_same_picture_in_less_room(tmp_path):
    olive, brown = (168, 146, 11), (161, 89, 24)
    noise = np.random.default_rng(0).integers(0, 8, (256, 256, 3))
    drawn = (np.arange(256)[:, None, None] // 4 * (1, 2, 3) + noise).astype(np.uint8)
    drawn[10:14, 10:14], drawn[20:40, 20:40] = olive, brown  # one of them is rare
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "PNG")
    path = write_notebook(tmp_path / "01_first.ipynb", "1")
    notebook = nbformat.read(path, as_version=4)
    png = base64.b64encode(file.getvalue()).decode()
    notebook.cells[2].outputs = [nbformat.v4.new_output("display_data", data={"image/png": png})]
    nbformat.write(notebook, path)
    publish_notebook(path, tmp_path / "out.ipynb")
    kept = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[2].outputs[0].data["image/png"]
    assert len(kept) < len(png)
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(kept))).convert("RGB"), int)
    assert np.abs(seen - drawn).max() < 16


def test_what_is_committed_has_no_pixels_and_no_traces_of_the_run(tmp_path):
    path = write_notebook(tmp_path / "01_first.ipynb", "1", tags=("pixels",))
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["papermill"] = {"output_path": "somewhere"}
    tags = {"tags": ["injected-parameters"]}
    injected = nbformat.v4.new_code_cell("data_dir = 'one of mine'", metadata=tags)
    for cell in notebook.cells[1:]:
        cell.execution_count = 4
        cell.metadata["papermill"] = {"duration": 1}
        cell.outputs = [
            nbformat.v4.new_output("stream", name=name, text="x") for name in ("stdout", "stderr")
        ]
    bar = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Reading images: 0%"}
    notebook.cells[1].outputs.append(nbformat.v4.new_output("display_data", data=bar))
    notebook.cells.append(injected)
    nbformat.write(notebook, path)
    publish_notebook(path, tmp_path / "out.ipynb")
    out = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert "one of mine" not in (tmp_path / "out.ipynb").read_text()
    assert "papermill" not in (tmp_path / "out.ipynb").read_text()
    assert [output.get("name") for output in out.cells[1].outputs] == ["stdout"]
    assert out.cells[2].outputs == [] and out.cells[2].execution_count is None


def test_a_notebook_with_a_failed_cell_is_not_committed(tmp_path):
    path = write_notebook(tmp_path / "01_first.ipynb", "1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].outputs = [nbformat.v4.new_output("error", ename="E", evalue="e", traceback=[])]
    nbformat.write(notebook, path)
    with pytest.raises(BloodError, match="failed cell"):
        publish_notebook(path, tmp_path / "out.ipynb")
    assert not (tmp_path / "out.ipynb").exists()
