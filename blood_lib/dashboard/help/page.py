"""The Help tab as HTML, from the messages and the bundle's card; every text from outside is escaped.

The card itself was written when the bundle was exported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from blood_lib.bundle import EXCLUDED, UNIDENTIFIED, Bundle
from blood_lib.dashboard.state import FIELDS
from blood_lib.dashboard.state.messages import Messages
from blood_lib.dashboard.widgets.markers import CELL_SIGNS, svg_marker
from blood_lib.dashboard.widgets.page import KEYS
from blood_lib.files.reasons import STATUSES

__all__ = ["build_help", "draw_metrics"]


def build_help(bundle: Bundle, messages: Messages) -> str:
    """One section per question that a visitor has."""
    t, card = messages, bundle.card
    return "".join(
        [
            '<div class="dash-help">',
            _section(t("help.what"), _intended(card, t), _paragraph(t("help.not_diagnosis"))),
            _section(t("help.how"), _definitions(_tabs(bundle, t))),
            _section(
                t("keys.title"), _paragraph(t("keys.note")), _definitions(_keys(t)), kind="dash-wants-keys"
            ),
            _section(t("help.words"), _definitions(_statuses(bundle, t))),
            _section(t("help.limits"), _limits(card, t), kind="dash-warning"),
            _section(t("help.good"), draw_metrics(card.get("metrics"), t), *_recalls(bundle, t)),
            _section(t("help.model"), _definitions(_facts(bundle, t))),
            _section(t("help.privacy"), _paragraph(t("help.privacy_text"))),
            "</div>",
        ]
    )


def _section(title: str, *content: str, kind: str = "") -> str:
    return f'<section class="dash-surface {kind}"><h2>{escape(title)}</h2>{"".join(content)}</section>'


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _definitions(rows: Iterable[tuple[str, str]]) -> str:
    """rows: (term, description), both HTML."""
    return "<dl>" + "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in rows if text) + "</dl>"


def _intended(card: Mapping[str, Any], t: Messages) -> str:
    return _paragraph(t("help.what_text")) + _paragraph(t.pick(card.get("intended_use")))


def _tabs(bundle: Bundle, t: Messages) -> list[tuple[str, str]]:
    names = ("upload", *[FIELDS] * (bundle.detector is not None), "chart", "classification", "map")
    return [(escape(t(f"tab.{name}")), escape(t(f"help.{name}"))) for name in names]


def _keys(t: Messages) -> list[tuple[str, str]]:
    def show(key: str) -> str:
        return key if key == "…" else f"<kbd>{key}</kbd>"

    return [(" ".join(map(show, keys)), escape(t(f"keys.{name}"))) for keys, name in KEYS]


def _statuses(bundle: Bundle, t: Messages) -> list[tuple[str, str]]:
    threshold = t.percent(bundle.thresholds.confidence, 0)
    rows = [(escape(t("gallery.ok")), escape(t("help.ok")))]
    for status in STATUSES[1:]:
        sign, word = CELL_SIGNS[status], escape(t(f"state.{status}"))
        term = f'<span class="dash-badge dash-badge-{status}"><b>{sign}</b>{word}</span>'
        rows.append((term, escape(t(f"help.{status}", threshold=threshold))))
    sign, word = CELL_SIGNS["bulk"], escape(t("viewer.bulk"))
    term = f'<span class="dash-badge dash-badge-bulk"><b>{sign}</b>{word}</span>'
    rows.append((term, escape(t("help.bulk"))))
    return rows + [
        (escape(t(f"group.{name}")), escape(t(f"help.{name}"))) for name in (UNIDENTIFIED, EXCLUDED)
    ]


def _limits(card: Mapping[str, Any], t: Messages) -> str:
    not_for = t.pick(card.get("not_for"))
    sentences = [t("help.not_for", text=not_for[:1].lower() + not_for[1:])] if not_for else []
    sentences += [t.pick(limit) for limit in _sequence(card.get("limits"))]
    sentences = [sentence for sentence in sentences if sentence] or [t("help.other_lab")]
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def draw_metrics(metrics: Any, t: Messages) -> str:
    """A table with a group of rows for each set of images that was measured on."""
    groups: dict[str, list[str]] = {}
    for metric in filter(_is_record, _sequence(metrics)):
        groups.setdefault(t.pick(metric.get("where")), []).append(_metric(metric, t))
    if not groups:
        return _paragraph(t("help.no_metrics"))
    return _figures("measure", "value", groups, t)


def _recalls(bundle: Bundle, t: Messages) -> list[str]:
    """How many of each type are named rightly: a table, where the card tells."""
    subtypes = {info.name: t.pick(info.label) for info in bundle.subtypes}
    labels = subtypes | {info.name: t.pick(info.label) for info in bundle.classes}
    groups: dict[str, list[str]] = {}
    for one in filter(_is_record, _sequence(bundle.card.get("per_class"))):
        rows = filter(_is_record, _sequence(one.get("rows")))
        groups[t.pick(one.get("where"))] = [
            _row(labels.get(str(row.get("name")), ""), row, ("recall", "recall_low", "recall_high"), t)
            for row in rows
        ]
    return (
        [f"<p>{escape(t('help.recall_text'))}</p>", _figures("type", "recall", groups, t)] if groups else []
    )


def _figures(name: str, value: str, groups: Mapping[str, list[str]], t: Messages) -> str:
    """Rows under the headings `name`, `value`, interval and n, with a line above each group."""
    heads = [t(f"help.{key}") for key in (name, value, "interval", "n")]
    head = "".join(f'<th scope="col" class="dash-figure">{escape(text)}</th>' for text in heads)
    body = "".join(
        f'<tbody><tr><th scope="rowgroup" colspan="4">{escape(where)}</th></tr>{"".join(rows)}</tbody>'
        for where, rows in groups.items()
    )
    table = f'<table class="dash-table dash-metrics"><thead><tr>{head}</tr></thead>{body}</table>'
    # on a phone it scrolls: then the keyboard must come to it
    return f'<div class="dash-scroll" tabindex="0" role="group" aria-label="{escape(heads[0])}">{table}</div>'


def _metric(metric: Mapping[str, Any], t: Messages) -> str:
    name = str(metric.get("name", ""))
    label = t(f"help.metric.{name}") if t.has(f"help.metric.{name}") else name.replace("_", " ").capitalize()
    return _row(label, metric, ("value", "low", "high"), t)


def _row(label: str, figures: Mapping[str, Any], keys: tuple[str, str, str], t: Messages) -> str:
    """keys: of the value and the two ends of its interval."""
    value, low, high = (_percent(figures.get(key), t) for key in keys)
    interval = f"{low.removesuffix(' %')}–{high}" if low and high else ""
    cells = (value, interval, _number(figures.get("n"), t))
    columns = "".join(f'<td class="dash-figure">{cell}</td>' for cell in cells)
    return f"<tr><td>{escape(label)}</td>{columns}</tr>"


def _facts(bundle: Bundle, t: Messages) -> list[tuple[str, str]]:
    card, how = bundle.card, bundle.preprocessing
    told = card.get("dataset")
    dataset: dict[str, Any] = told if isinstance(told, dict) else {}
    size = t("help.size_text", crop=t.percent(how.crop, 0), size=how.image_size)
    rows = [
        ("dataset", ", ".join(str(dataset[key]) for key in ("name", "doi") if dataset.get(key))),
        ("licence", str(dataset.get("licence") or "")),
        ("images", _split_sizes(dataset, t)),
        ("architecture", str(card.get("architecture") or "")),
        ("initialisation", str(card.get("initialisation") or "")),
        ("size", size),
        ("again", _further_views(bundle, t)),
        ("identity", bundle.sha256[:16]),
    ]
    facts = [(escape(t(f"help.{key}")), escape(text)) for key, text in rows]
    return [*facts[:3], (escape(t("help.types")), _type_list(bundle, t)), *facts[3:]]


def _further_views(bundle: Bundle, t: Messages) -> str:
    how = bundle.preprocessing
    crops = ", ".join(t.percent(crop, 0) for crop in how.tta_crops)
    return t("help.again_text", below=t.percent(how.tta_below, 0), crops=crops) if crops else ""


def _split_sizes(dataset: Mapping[str, Any], t: Messages) -> str:
    sizes = {part: _number(dataset.get(f"n_{part}"), t) for part in ("train", "valid", "test")}
    return t("help.images_text", **sizes) if all(sizes.values()) else ""


def _type_list(bundle: Bundle, t: Messages) -> str:
    labels = [
        f"{svg_marker(i, info.colour, 13)} {escape(t.pick(info.label))}"
        for i, info in enumerate(bundle.classes)
    ]
    return ", ".join(labels)


def _percent(value: Any, t: Messages) -> str:
    return t.percent(value) if _is_number(value) else ""


def _number(value: Any, t: Messages) -> str:
    return t.number(value) if _is_number(value) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_record(value: Any) -> bool:
    return isinstance(value, dict)


def _sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
