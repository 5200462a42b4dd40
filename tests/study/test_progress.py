"""A bar on a terminal, nothing elsewhere; what is counted passes through unchanged."""

import io
import sys

import pytest

from blood_lib.study.progress import show_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told_what_is_done_and_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(show_progress(iter("abc"), total=3, what="Counting")) == ["a", "b", "c"]
    assert "Counting:   0%" in terminal.getvalue() and "0/3" in terminal.getvalue()


def test_a_file_is_told_nothing(capsys: pytest.CaptureFixture) -> None:
    with show_progress(total=4, unit="steps") as bar:
        bar.update(4)
    assert capsys.readouterr() == ("", "")
