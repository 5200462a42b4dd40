"""The report as one HTML file: numbers, charts, what people changed, and a picture of every cell; no script.

Every text from outside is escaped. Counting is left to `differential_table.py`; when a report is made is for
`reports.py`.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from blood_lib.bundle import Bundle
from blood_lib.dashboard.chart.charts import draw_charts
from blood_lib.dashboard.chart.differential_table import (
    SIGNS,
    DifferentialTable,
    Row,
    build_differential_table,
    show_range,
)
from blood_lib.dashboard.help.page import draw_metrics
from blood_lib.dashboard.state import EXCLUDED, UNIDENTIFIED, Cell, Field, RejectedFile
from blood_lib.dashboard.state.messages import Messages
from blood_lib.dashboard.widgets.markers import CELL_SIGNS, svg_marker
from blood_lib.dashboard.widgets.pictures import thumbnail
from blood_lib.files.reasons import STATUSES

__all__ = ["Facts", "iter_report"]

PICTURE = 96  # px a side
STYLE = Path(__file__).parent / "report.css"

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Facts:
    """What a report is about, as it was at one moment."""

    bundle: Bundle
    cells: Sequence[Cell]
    rejected: Sequence[RejectedFile]
    ranges: Mapping[str, tuple[float, float]]
    reviewer: str
    adapted: bool
    when: datetime
    fields: Sequence[Field] = ()


def iter_report(facts: Facts, t: Messages) -> Iterator[str]:
    """The file in pieces, at least one a cell, so that writing it can be counted and stopped."""
    table = build_differential_table(
        facts.cells, len(facts.rejected), facts.bundle, facts.ranges, t, facts.fields
    )
    title = f"{t('report.title')}: {t.pick(facts.bundle.title)}"
    yield (
        f'<!doctype html><html lang="{t.language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body><main>"
    )
    yield _head(facts, title, t)
    yield _section(table.title, _caution(table), _table(facts, table, t), _notes(facts, table, t))
    yield draw_charts(facts.cells, facts.bundle, t)
    yield _section(t("report.review"), _review(facts, table, t), _changes(facts, t))
    if facts.rejected:
        rows = ((escape(file.name), escape(t.reason(file.reason))) for file in facts.rejected)
        heads = (t("gallery.file"), t("gallery.reason"))
        yield _section(t("gallery.rejected_title"), _plain_table(heads, rows))
    yield from _pictures(facts, t)
    yield _section(t("report.model"), _model(facts, t), draw_metrics(facts.bundle.card.get("metrics"), t))
    yield f'<p class="note">{escape(t("help.not_diagnosis"))}</p></main></body></html>'


def _section(title: str, *content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def _paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if text else ""


def _head(facts: Facts, title: str, t: Messages) -> str:
    n = len(facts.cells)
    rows = (
        (t("report.date"), facts.when.isoformat(sep=" ", timespec="minutes")),
        (t("chart.reviewer"), facts.reviewer or "—"),
        (t("report.images"), t("chart.total", n=n)),
        (t("report.decided"), t("report.of", done=sum(cell.reviewed for cell in facts.cells), n=n)),
    )
    return (
        f"<header><h1>{escape(title)}</h1>{_definitions(rows)}"
        f"{_paragraph(t('help.not_diagnosis'), 'note')}</header>"
    )


def _definitions(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in rows if b) + "</dl>"


def _plain_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """heads: texts; rows: HTML."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="list"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


# --- the numbers ---


def _caution(table: DifferentialTable) -> str:
    return _paragraph(table.unjudged, "caution") + _paragraph(table.caution, "caution")


def _table(facts: Facts, table: DifferentialTable, t: Messages) -> str:
    names = ["type", "number", "share", "range"] + ["reference", "verdict"] * bool(facts.bundle.differential)
    head = "".join(f'<th scope="col">{escape(t(f"chart.{name}"))}</th>' for name in names)
    bodies = "".join(
        f'<tbody><tr><th scope="rowgroup" colspan="{len(names)}">{escape(group.title)}</th></tr>'
        f"{''.join(_row(row, facts, len(names), t) for row in group.rows)}</tbody>"
        for group in table.groups
    )
    return f'<table class="numbers"><thead><tr>{head}</tr></thead>{bodies}</table>'


def _row(row: Row, facts: Facts, n_columns: int, t: Messages) -> str:
    texts, bundle = [t.number(row.n), row.share, row.interval], facts.bundle
    mark = "" if row.index is None else svg_marker(row.index, bundle.classes[row.index].colour)
    if n_columns > 4:
        edited = "*" if row.limits != bundle.ranges.get(row.name) else ""
        texts += [show_range(row.limits, t) + edited, _verdict(row, t)]
    cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    kind = f' class="flagged {row.flag}"' if row.flag not in ("", "inside") else ""
    return f'<tr{kind}><th scope="row">{mark}{escape(row.label)}</th>{cells}</tr>'


def _verdict(row: Row, t: Messages) -> str:
    return f"{SIGNS[row.flag]} {t(f'flag.{row.flag}')}" if row.flag else ""


def _notes(facts: Facts, table: DifferentialTable, t: Messages) -> str:
    edited = facts.bundle.differential is not None and facts.ranges != facts.bundle.ranges
    return _paragraph(f"{table.notes} {t('report.edited')}" if edited else table.notes, "small")


# --- the review ---


def _review(facts: Facts, table: DifferentialTable, t: Messages) -> str:
    sentences = [
        table.decided,
        t("chart.doubtful", n=table.doubtful) if table.doubtful else "",
        t("report.adapted") if facts.adapted else "",
    ]
    found = Counter(cell.status for cell in facts.cells) + Counter(rejected=len(facts.rejected))
    statuses = ((t(f"state.{name}"), t.number(found[name])) for name in STATUSES)
    return _paragraph(" ".join(s for s in sentences if s)) + _definitions(statuses)


def _changes(facts: Facts, t: Messages) -> str:
    moved = [cell for cell in facts.cells if cell.moved]
    if not moved:
        return _paragraph(t("report.no_changes"))
    labels = _labels(facts.bundle, t)
    rows = ((escape(cell.name), escape(_said(cell, labels, t)), escape(labels[cell.label])) for cell in moved)
    heads = (t("gallery.file"), t("report.said"), t("report.now"))
    return f"<h3>{escape(t('report.changes', n=len(moved)))}</h3>{_plain_table(heads, rows)}"


def _said(cell: Cell, labels: Mapping[str, str], t: Messages) -> str:
    certain = {"label": labels[cell.said], "confidence": t.probability(cell.confidence)}
    return t("gallery.certain", **certain, status=t(f"state.{cell.status}"))


def _labels(bundle: Bundle, t: Messages) -> dict[str, str]:
    """What people read for each group that a cell can stand in."""
    classes = {info.name: t.pick(info.label) for info in bundle.classes}
    return classes | {name: t(f"group.{name}") for name in (UNIDENTIFIED, EXCLUDED)}


# --- the pictures ---


def _pictures(facts: Facts, t: Messages) -> Iterator[str]:
    """A section per group that has cells."""
    labels = _labels(facts.bundle, t)
    note = _paragraph(t("report.marks"), "small")
    yield f'<section class="sheet"><h2>{escape(t("report.pictures"))}</h2>{note}'
    for index, name in enumerate(labels):
        cells = [cell for cell in facts.cells if cell.label == name]
        if cells:
            known = index < len(facts.bundle.classes)
            mark = svg_marker(index, facts.bundle.classes[index].colour) if known else ""
            yield f"<h3>{mark}{escape(labels[name])} <span>{t.number(len(cells))}</span></h3><div>"
            yield from (_picture(cell, labels, t) for cell in cells)
            yield "</div>"
    yield "</section>"


def _picture(cell: Cell, labels: Mapping[str, str], t: Messages) -> str:
    content = thumbnail(cell.content, PICTURE)
    source = f"data:image/jpeg;base64,{b64encode(content).decode()}"
    kind, remark = _remark(cell, labels, t)
    return (
        f'<figure class="{kind}"><img src="{source}" alt="">'
        f"<figcaption>{_paragraph(remark, 'remark')}{escape(cell.name)}</figcaption></figure>"
    )


def _remark(cell: Cell, labels: Mapping[str, str], t: Messages) -> tuple[str, str]:
    """(style, words) for a cell that somebody has answered, or that is doubtful; ("", "") for all others."""
    if cell.moved:
        return "moved", f"{CELL_SIGNS['moved']} {t('report.moved', type=labels[cell.said])}"
    if cell.reviewed:
        return "confirmed", f"{CELL_SIGNS['confirmed']} {t('report.confirmed')}"
    if cell.decided == "bulk":
        return "bulk", f"{CELL_SIGNS['bulk']} {t('report.bulk')}"
    if cell.doubtful:
        return "doubtful", f"{CELL_SIGNS[cell.status]} {t(f'state.{cell.status}')}"
    return "", ""


# --- the model ---


def _model(facts: Facts, t: Messages) -> str:
    card = facts.bundle.card
    return _definitions(
        (
            (t("report.bundle"), t.pick(facts.bundle.title)),
            (t("help.identity"), facts.bundle.sha256),
            (t("help.architecture"), str(card.get("architecture") or "")),
        )
    )
