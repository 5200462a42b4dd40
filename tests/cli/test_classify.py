"""`blood classify` as a user runs it: a row per file, whatever it is, and a sentence when it cannot work."""

import csv
import io
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blood_lib.__main__ import main
from blood_lib.bundle import Bundle
from blood_lib.images import load_image
from blood_lib.study.cells import by_folder
from blood_lib.study.data.index import hash_pixels
from blood_lib.study.data.split import split_of
from tests.files.test_archives import make_zip
from tests.test_images import png_header
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode, save_tiny_bundle

COMMAND = [sys.executable, "-m", "blood_lib"]


def classify(capsys, bundle: Bundle, *arguments) -> tuple[int, list[dict[str, str]], str]:
    """(exit code, rows, standard error)"""
    code = main(["classify", *map(str, arguments), "--bundle", str(bundle.path)])
    out, err = capsys.readouterr()
    return code, list(csv.DictReader(io.StringIO(out))), err


def complain(capsys, *arguments) -> str:
    """The sentence that the command ends with when it cannot do its work."""
    assert main(["classify", *map(str, arguments)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("blood: ") and err.count("\n") == 1 and "Traceback" not in err
    return err


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    folder = tmp_path / "cells"
    folder.mkdir()
    for name, colour in COLOURS.items():
        (folder / f"{name}.jpg").write_bytes(encode(draw_cell(colour), "JPEG", quality=95))
    return folder


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A folder with everything that a careless or hostile user has at hand."""
    folder = tmp_path / "bad"
    folder.mkdir()
    sixteen = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    contents = {
        "0_empty.jpg": b"",
        "1_text.jpg": b"this is a text",
        "2_truncated.jpg": encode(draw_cell(), "JPEG")[:-300],
        "3_cmyk.jpg": encode(draw_cell().convert("CMYK"), "JPEG"),
        "4_sixteen.png": encode(Image.fromarray(sixteen)),
        "5_still.gif": encode(draw_cell(), "GIF"),
        "6_alpha.png": encode(draw_cell().convert("RGBA")),
        "7_tiny.png": encode(Image.new("RGB", (1, 1))),
        "8_huge.png": png_header(20_000, 20_000),
        "9_film.gif": encode(draw_cell(), "GIF", save_all=True, append_images=[draw_cell("blue")]),
        "cells.zip": make_zip({"a.png": encode(draw_cell()), "b.txt": b"text"}),
        "cut.zip": make_zip({"a.png": encode(draw_cell())})[:-30],
        "notes.txt": b"text",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_row_per_file(capsys, tiny_bundle: Bundle, cells: Path) -> None:
    code, rows, err = classify(capsys, tiny_bundle, cells)
    assert (code, err) == (0, "")
    assert [(row["file"], row["label"], row["status"]) for row in rows] == [
        (f"{name}.jpg", name, "ok") for name in sorted(COLOURS)
    ]
    for row in rows:
        probs = [float(row[f"p_{name}"]) for name in COLOURS]
        assert sum(probs) == pytest.approx(1, abs=1e-5)
        assert float(row["confidence"]) == max(probs) == float(row[f"p_{row['label']}"])


def test_bad_files_are_rows_like_the_others(capsys, tiny_bundle: Bundle, bad: Path, cells: Path) -> None:
    code, rows, _ = classify(capsys, tiny_bundle, bad, cells)
    statuses = {row["file"]: row["status"] == "rejected" for row in rows}
    sound = {"3_cmyk.jpg", "4_sixteen.png", "5_still.gif", "6_alpha.png", "cells.zip/a.png"}
    assert code == 0
    assert {name for name, rejected in statuses.items() if not rejected} == sound | set(os.listdir(cells))
    assert {name for name, rejected in statuses.items() if rejected} == {
        "0_empty.jpg",
        "1_text.jpg",
        "2_truncated.jpg",
        "7_tiny.png",
        "8_huge.png",
        "9_film.gif",
        "cells.zip/b.txt",
        "cut.zip",
        "notes.txt",
    }
    assert all((row["reason"] != "") == (row["status"] != "ok") for row in rows)


def test_an_empty_folder_is_a_row_and_a_sentence(capsys, tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    code, rows, err = classify(capsys, tiny_bundle, tmp_path / "none")
    assert code == 0 and "holds no files" in rows[0]["reason"] and len(rows) == 1
    assert err.startswith("blood: no readable image") and "1 file" not in err


def test_a_folder_without_images_is_rows_and_a_sentence(capsys, tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    code, rows, err = classify(capsys, tiny_bundle, tmp_path)
    assert (code, [row["status"] for row in rows]) == (0, ["rejected"])
    assert err.startswith("blood: no readable image")


def test_a_path_that_is_not_there_stops_before_any_work(capsys, cells: Path, tmp_path: Path) -> None:
    err = complain(
        capsys, cells, tmp_path / "nope", "--out", tmp_path / "o.csv", "--bundle", tmp_path / "nor this"
    )
    assert "nope does not exist" in err
    assert not (tmp_path / "o.csv").exists()


def test_a_bundle_that_is_missing_corrupted_or_newer(capsys, cells: Path, tmp_path: Path) -> None:
    assert "there is no bundle" in complain(capsys, cells, "--bundle", tmp_path)
    bundle = save_tiny_bundle(tmp_path / "b")
    (bundle.path / "model.onnx").write_bytes(b"corrupted")
    out = tmp_path / "o.csv"
    assert "damaged" in complain(capsys, cells, "--bundle", bundle.path, "--out", out)
    text = (bundle.path / "bundle.json").read_text()
    (bundle.path / "bundle.json").write_text(re.sub(r'"format": \d+', '"format": 99', text))
    assert "newer version" in complain(capsys, cells, "--bundle", bundle.path)
    assert not out.exists()


def test_out_is_written_whole(capsys, tiny_bundle: Bundle, cells: Path, tmp_path: Path) -> None:
    code, rows, err = classify(capsys, tiny_bundle, cells, "--out", tmp_path / "o.csv")
    assert (code, rows, err) == (0, [], "")
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 4


def test_out_may_lie_in_the_folder_that_is_read(capsys, tiny_bundle: Bundle, cells: Path) -> None:
    for _ in range(2):
        classify(capsys, tiny_bundle, cells, "--out", cells / "o.csv")
        assert len((cells / "o.csv").read_text().splitlines()) == 4
    assert sorted(os.listdir(cells)) == ["blue.jpg", "green.jpg", "o.csv", "red.jpg"]


def test_out_that_cannot_be_written(capsys, tiny_bundle: Bundle, cells: Path, tmp_path: Path) -> None:
    for out in (tmp_path / "no" / "folder.csv", tmp_path):
        err = complain(capsys, cells, "--out", out, "--bundle", tiny_bundle.path)
        assert str(out) in err and "cannot be written" in err


def test_out_never_replaces_what_is_to_be_classified(capsys, tiny_bundle: Bundle, cells: Path) -> None:
    """`--out *.jpg` names the first image as the table."""
    before = {path.name: path.read_bytes() for path in cells.iterdir()}
    link = cells.parent / "link.jpg"
    link.symlink_to(cells / "red.jpg")
    for out, path in [("red.jpg", "blue.jpg"), ("red.jpg", "red.jpg"), ("new.csv", "red.jpg")]:
        if out == "new.csv":
            (cells / out).write_text("my,own,table\n")
            before[out] = b"my,own,table\n"
        err = complain(capsys, cells / path, "--out", cells / out, "--bundle", tiny_bundle.path)
        assert str(cells / out) in err and "choose another" in err
    assert "choose another" in complain(capsys, link, "--out", cells / "red.jpg", "--bundle", "nowhere")
    assert {path.name: path.read_bytes() for path in cells.iterdir()} == before


def test_out_may_be_an_empty_file(capsys, tiny_bundle: Bundle, cells: Path, tmp_path: Path) -> None:
    (tmp_path / "o.csv").touch()
    assert classify(capsys, tiny_bundle, cells, "--out", tmp_path / "o.csv")[0] == 0
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 4


def test_an_older_table_given_to_be_read_is_not_replaced(capsys, tiny_bundle: Bundle, cells: Path) -> None:
    classify(capsys, tiny_bundle, cells, "--out", cells / "o.csv")
    out = cells / "o.csv"
    assert "choose another" in complain(capsys, cells, out, "--out", out, "--bundle", tiny_bundle.path)


def run(*arguments, **options) -> subprocess.CompletedProcess:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def test_help_is_instant_and_names_every_command() -> None:
    run("--help")
    started = time.perf_counter()
    done = run("--help")
    took = time.perf_counter() - started
    assert done.returncode == 0 and "classify" in done.stdout
    assert took < 3  # 0.1 s on an idle machine


def test_wrong_usage_is_code_2() -> None:
    for arguments in ([], ["classify"], ["nonsense"], ["classify", "x", "--nonsense"]):
        done = run(*arguments)
        assert done.returncode == 2 and "usage:" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence(tiny_bundle: Bundle, cells: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "classify", cells, "--bundle", tiny_bundle.path]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1
    assert (
        done.stderr
        == "blood: standard output cannot be written: No space left on device; choose another place.\n"
    )


def test_a_closed_standard_output_is_a_sentence(tiny_bundle: Bundle, cells: Path) -> None:
    command = [*COMMAND, "classify", cells, "--bundle", tiny_bundle.path]
    script = ["sh", "-c", 'exec "$@" >&-', "sh", *map(str, command)]
    done = subprocess.run(script, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (1, "blood: standard output is closed: give --out FILE.\n")


def test_standard_output_may_be_no_ordinary_file(monkeypatch, tiny_bundle: Bundle, cells: Path) -> None:
    """In a notebook it is an object that cannot change its encoding."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert main(["classify", str(cells), "--bundle", str(tiny_bundle.path)]) == 0
    assert len(sys.stdout.getvalue().splitlines()) == 4


def test_a_reader_that_leaves_early_is_no_error(tiny_bundle: Bundle, cells: Path) -> None:
    command = [*COMMAND, "classify", cells, "--bundle", tiny_bundle.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_progress_shows_on_a_terminal(tiny_bundle: Bundle, cells: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [*COMMAND, "classify", cells, "--bundle", tiny_bundle.path, "--out", tmp_path / "o.csv"]
    with subprocess.Popen(command, stderr=theirs) as process:
        process.wait(timeout=120)
    os.close(theirs)
    seen = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "classify" in seen and "rows/s" in seen and "3 rows: 3 ok." in seen


def test_what_pillow_grumbles_about_is_not_shown(tiny_bundle: Bundle, cells: Path) -> None:
    (cells / "large.png").write_bytes(png_header(10_000, 10_000))
    done = run("classify", cells, "--bundle", tiny_bundle.path)
    assert (done.returncode, done.stderr) == (0, "") and "megapixels" in done.stdout


def test_a_missing_package_is_named(capsys, monkeypatch: pytest.MonkeyPatch, cells: Path) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert "pip install" in complain(capsys, cells, "--bundle", save_tiny_bundle(cells.parent / "b").path)


def test_ctrl_c_is_quiet(
    capsys, monkeypatch: pytest.MonkeyPatch, tiny_bundle: Bundle, cells: Path, tmp_path
) -> None:
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("blood_lib.inference.views.load_image", interrupt)
    assert classify(capsys, tiny_bundle, cells, "--out", tmp_path / "o.csv") == (130, [], "")
    assert os.listdir(tmp_path) == ["cells"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_images_and_the_shipped_bundle(real_images: Path, tmp_path: Path) -> None:
    """On cells that the model was neither trained nor tuned with."""
    sample = sorted(real_images.glob("*/[A-Z]*.jpg"))[::3]
    paths = [path for path in sample if split_of(hash_pixels(load_image(path))) == "test"]
    done = run("classify", *paths)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0 and [row["file"] for row in rows] == [str(path) for path in paths]
    labels = [by_folder(path.parent.name).name for path in paths]
    right = [label == row["label"] for label, row in zip(labels, rows, strict=True)]
    assert len(set(labels)) == 8 and len(right) > 300
    assert np.mean(right) >= 0.97
