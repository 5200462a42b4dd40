"""A bundle's model card as a Markdown page, written by `blood card`, so it cannot become outdated.

All that the bundle's card holds is shown; what it holds was decided by the export.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from blood_lib.bundle.record import Bundle

__all__ = ["format_card"]

_HEADINGS = {
    "intended_use": "Intended use",
    "not_for": "Not for",
    "limits": "Limits",
    "dataset": "Data",
}
_MEASURED = ("metrics", "per_class")
_NAMES = {
    "doi": "DOI",
    "n_train": "images to train on",
    "n_valid": "images to choose and calibrate on",
    "n_test": "images to test on",
    "split_sha256": "sha256 of the split",
    "initialisation": "weights at the start",
    "teachers": "networks that it learned from",
    "image_size": "image size (px)",
    "seeds": "seeds (one run each)",
    "wall_time_s": "training time (s)",
    "macro_f1": "macro F1",
    "calibration_error": "expected calibration error",
    "share_ok": "share marked ok",
    "share_uncertain": "share marked uncertain",
    "share_unfamiliar": "share marked unfamiliar",
}


def format_card(bundle: Bundle) -> str:
    """The bundle's whole card as Markdown, in English."""
    card = bundle.card
    rest = {key: value for key, value in card.items() if key not in (*_HEADINGS, *_MEASURED)}
    sections = [
        f"# Model card: {_text(bundle.title)}",
        f"Written by `blood card` from the bundle `{bundle.sha256[:16]}`, which it describes. For another "
        "bundle, or a new one: `blood card --bundle DIR --out MODEL_CARD.md`.",
        *(_section(title, card[key]) for key, title in _HEADINGS.items() if card.get(key)),
        _section("From an image to an answer", _describe_input(bundle)),
        _describe_classes(bundle),
        "## How good it is",
        *(_list_figures(card) or ["It comes without measurements. Do not trust it before you have some."]),
    ]
    if rest:
        sections.append(_section("How it came about", rest))
    return "\n\n".join(sections) + "\n"


def _section(title: str, content: Any) -> str:
    return f"## {title}\n\n" + "\n".join(_lines(content))


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    """Anything that JSON can hold, as a paragraph or a list of lists."""
    if isinstance(value, list):
        yield from (f"{indent}- {_text(one)}" for one in value)
    elif not _is_group(value):
        yield indent + _text(value)
    else:
        for key, one in value.items():
            yield f"{indent}- {_name(key)}:" + ("" if _is_group(one) else f" {_text(one)}")
            if _is_group(one):
                yield from _lines(one, indent + "  ")


def _is_group(value: Any) -> bool:
    """Named facts, not one text in several languages?"""
    return isinstance(value, Mapping) and "en" not in value


def _name(key: str) -> str:
    return _NAMES.get(key, key.replace("_", " "))


def _text(value: Any) -> str:
    """On one line."""
    if isinstance(value, Mapping):
        value = value.get("en", dict(value))
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return " ".join(str(value).split())


def _describe_input(bundle: Bundle) -> dict[str, str]:
    how, limits = bundle.preprocessing, bundle.thresholds
    unfamiliar = limits.ood_score
    size = f"{how.image_size} x {how.image_size} px"
    again = ", ".join(map(_percent, how.tta_crops))
    below = f"below a confidence of {_percent(how.tta_below)}, unless it is unfamiliar"
    return {
        "what the network sees": f"the middle {_percent(how.crop)} of the image, at {size}",
        **({"it looks again": f"{below}: at the middle {again}, too; the mean counts"} if again else {}),
        "logits are divided by": f"{bundle.temperature:.3g}",
        "`ok` takes a confidence of": f"{_percent(limits.confidence)} or more",
        "`unfamiliar` is what lies away from the cells that are known by more than": f"{unfamiliar:.4g}",
    }


def _describe_classes(bundle: Bundle) -> str:
    rows = []
    for info in bundle.classes:
        usual = "{:g} to {:g} %".format(*info.reference_range) if info.reference_range else ""
        rows.append((_text(info.label), ", ".join(info.subtypes), usual))
    return "## Types\n\n" + _table(("type", "subtypes among them", "share in health"), rows)


def _list_figures(card: Mapping[str, Any]) -> list[str]:
    """A table for each set of images that was measured on, then one for the types in it."""
    groups: dict[str, list[Sequence[str]]] = {}
    for metric in _dicts(card.get("metrics")):
        row = (_name(_text(metric.get("name", ""))), *_share(metric, "value", ""), _text(metric.get("n", "")))
        groups.setdefault(_text(metric.get("where", "")), []).append(row)
    heads = ("measure", "value", "95 % interval", "images")
    tables = [
        f"### {where[:1].upper()}{where[1:]}\n\n{_table(heads, rows)}" for where, rows in groups.items()
    ]
    for one in _dicts(card.get("per_class")):
        rows = map(_class_row, _dicts(one.get("rows")))
        tables.append(f"### Type by type: {_text(one.get('where', ''))}\n\n{_table(_CLASS_HEADS, rows)}")
    return tables


_CLASS_HEADS = ("type", "images", "recall", "95 %", "precision", "95 %", "most often taken for")


def _class_row(row: Mapping[str, Any]) -> Sequence[str]:
    name, n, other = (_text(row.get(key, "")) for key in ("name", "n", "taken_for"))
    return (name, n, *_share(row, "recall", "recall_"), *_share(row, "precision", "precision_"), other)


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    """A card is free form: only what has the form that is expected."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _share(row: Mapping[str, Any], name: str, prefix: str) -> tuple[str, str]:
    """A share and its interval, "" for what is unknown."""
    value, low, high = (_percent(row.get(key)) for key in (name, f"{prefix}low", f"{prefix}high"))
    return value, f"{low} to {high}" if value and low and high else ""


def _percent(value: Any) -> str:
    return f"{100 * value:.1f} %" if isinstance(value, int | float) else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
