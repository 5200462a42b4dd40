"""Measures how long the sentences of the documentation are: `python -m docs.tools.words [FILE.md ...]`.

Counted are the sentences of paragraphs and lists. Headings, tables, code, quotations and what ends without a
mark, such as an entry that is only a link, are not. Inline code counts as one word.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["find_pages", "list_sentences", "measure"]

ROOT = Path(__file__).resolve().parents[2]

_FENCED = re.compile(r"^ *(```|~~~).*?^ *\1[^\n]*$", re.S | re.M)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_NO_PROSE = re.compile(r"^( {4}.*|#.*|>.*|\s*\|.*|!\[.*|\[[^\]]+\]: .*|(=|-){3,}|[!?]{3} .*)$", re.M)
_INLINE_CODE = re.compile(r"(`+).+?\1", re.S)
_LINK = re.compile(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])")
_BLOCK = re.compile(r"\n\s*\n|\n(?= *(?:[-*+]|\d+\.) )")
_MARK = re.compile(r"^\s*(?:[-*+]|\d+\.) ")
_END = re.compile(r"(?<=[.!?])[*_)\"”]*\s+")
_ABBREVIATION = re.compile(r"\b(et al|e\.g|i\.e|vs|Dr|No|Fig|Lab|Med|Pathol)\.")
_WORD = re.compile(r"\w[\w'’.,/-]*")


def list_sentences(text: str) -> list[str]:
    """The sentences of a Markdown text."""
    text = _COMMENT.sub("", _FENCED.sub("", text))
    text = _NO_PROSE.sub("", _continue_items(text))
    text = _LINK.sub(r"\1", _INLINE_CODE.sub("code", text))
    text = _ABBREVIATION.sub(r"\1", text)
    blocks = (" ".join(_MARK.sub("", block).split()) for block in _BLOCK.split(text))
    sentences = (sentence for block in blocks for sentence in _END.split(block))
    return [sentence for sentence in sentences if sentence.rstrip('*_)"”').endswith((".", "!", "?", ":"))]


def _continue_items(text: str) -> str:
    """A list's entry of several lines on one: its indentation is not that of code."""
    return re.sub(r"(?<=\S)\n {2,}(?=[^\s|*+-])", " ", text)


def measure(texts: Iterable[str]) -> tuple[int, float]:
    """How many sentences there are, and how many words each has on average."""
    lengths = [len(_WORD.findall(sentence)) for text in texts for sentence in list_sentences(text)]
    return len(lengths), sum(lengths) / max(1, len(lengths))


def find_pages() -> list[Path]:
    """The written pages of the site."""
    return sorted((ROOT / "docs").rglob("*.md"))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m docs.tools.words", description=__doc__.split("\n")[0])
    parser.add_argument(
        "pages", nargs="*", type=Path, metavar="FILE.md", help="default: README and all of docs"
    )
    parser.add_argument("--long", type=int, metavar="N", help="also print the sentences of more than N words")
    args = parser.parse_args(argv)
    pages = args.pages or [ROOT / "README.md", *find_pages()]
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    for page, text in texts.items():
        n, words = measure([text])
        print(f"{words:5.1f} words a sentence, {n:4} sentences  {page}")
        for sentence in list_sentences(text) if args.long else ():
            if len(_WORD.findall(sentence)) > args.long:
                print(f"      {len(_WORD.findall(sentence)):3}: {sentence}")
    n, words = measure(texts[page] for page in pages if page.name != "README.md")
    print(f"{words:5.1f} words a sentence, {n:4} sentences  all but README")


if __name__ == "__main__":
    main()
