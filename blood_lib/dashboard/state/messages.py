"""Every sentence that the dashboard shows, from a file per language.

The bundle's own words are left to the bundle. A translator edits `messages/<language>.json` and no code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from blood_lib.bundle import Bundle
from blood_lib.files.errors import BloodError
from blood_lib.files.reasons import Reason

__all__ = ["LANGUAGES", "DashboardError", "Messages", "Sentence", "choose_language"]

_FOLDER = files(__package__) / "messages"
LANGUAGES = tuple(sorted(file.name.removesuffix(".json") for file in _FOLDER.iterdir()))  # "en", ...

# of each language: what parts thousands, the decimal mark, the first number whose thousands are parted (CLDR)
_NUMBERS = {"en": (",", ".", 1_000), "es": (".", ",", 10_000)}


def choose_language(wanted: Iterable[str]) -> str:
    """The first of a visitor's languages ("es-MX", best first) that there are messages in, or English."""
    found = (tag.partition("-")[0].strip().lower() for tag in wanted)
    return next((language for language in found if language in LANGUAGES), "en")


@dataclass(frozen=True)
class Sentence:
    """A sentence by its key and the values in it; `Messages.say` has its words in one language."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)


class DashboardError(BloodError):
    """What the user wants cannot be done; `sentence` says why, in any language or in English only."""

    def __init__(self, sentence: Sentence | str):
        super().__init__(sentence)
        self.sentence = sentence


class Messages:
    """Looks sentences up by key and fills in `{names}`.

    `words` are filled in everywhere: the bundle's words for one item, for several, and for those that a
    differential counts, with and without a capital.
    """

    def __init__(self, language: str = "en", words: Mapping[str, str] | None = None):
        self.language = language
        self.words = dict(words or {})
        source = _FOLDER / f"{language}.json"
        self._texts: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))

    @classmethod
    def for_bundle(cls, bundle: Bundle | None, language: str) -> Messages:
        """The sentences with the words of `bundle`, or of any image where there is none."""
        messages = cls(language)
        if bundle is None:
            words = {"item": messages("word.item"), "items": messages("word.items")}
        else:
            words = {"item": messages.pick(bundle.item), "items": messages.pick(bundle.items)}
        words["counted"] = (bundle and messages.pick(bundle.differential)) or words["items"]
        messages.words = words | {
            key.capitalize(): word[:1].upper() + word[1:] for key, word in words.items()
        }
        return messages

    def __call__(self, key: str, **values: object) -> str:
        """The sentence for `key`; where `n` is 1 and there is a `key.one`, that one."""
        one = values.get("n") == 1 and f"{key}.one" in self._texts
        shown = {name: self._show(value) for name, value in values.items()}
        return self._texts[f"{key}.one" if one else key].format(**self.words, **shown)

    def say(self, sentence: Sentence | str | None) -> str:
        """The words of a sentence; a text as it is, "" for None."""
        return self(sentence.key, **sentence.values) if isinstance(sentence, Sentence) else sentence or ""

    def reason(self, reason: Reason | None) -> str:
        """The sentence for a reason of the core in this language; "" for None."""
        return self(f"reason.{reason.code}", **reason.values) if reason else ""

    def number(self, value: float, digits: int = 0) -> str:
        """A number as this language writes it; words.js does the same for the scripts."""
        thousands, decimal, first = _NUMBERS.get(self.language, _NUMBERS["en"])
        text = f"{value:,.{digits}f}" if abs(value) >= first else f"{value:.{digits}f}"
        return text.translate({ord(","): thousands, ord("."): decimal})

    def percent(self, share: float, digits: int = 1) -> str:
        """A share in [0, 1] in per cent."""
        return f"{self.number(100 * share, digits)} %"

    def probability(self, p: float, digits: int = 1) -> str:
        """A probability: 100 % and 0 % stand for exactly these. `percent` of words.js does the same."""
        step = 10**-digits / 100
        if 1 - step / 2 <= p < 1:
            return f"> {self.percent(1 - step, digits)}"
        return f"< {self.percent(step, digits)}" if 0 < p < step / 2 else self.percent(p, digits)

    def has(self, key: str) -> bool:
        """Whether there is a sentence for `key`."""
        return key in self._texts

    def section(self, name: str) -> dict[str, str]:
        """All sentences whose key begins with `name.`, without it; other `{names}` than words stay."""
        found = {key: text for key, text in self._texts.items() if key.startswith(f"{name}.")}
        return {key[len(name) + 1 :]: text.format_map(_Keep(self.words)) for key, text in found.items()}

    def pick(self, texts: Mapping[str, str] | str | None) -> str:
        """This language's text out of the bundle's {language: text}; English, or any, where it is missing."""
        if not texts:
            return ""
        if isinstance(texts, str):
            return texts
        return str(texts.get(self.language) or texts.get("en") or next(iter(texts.values())))

    def _show(self, value: object) -> object:
        """Whole numbers with separators; any other number is a share, shown in per cent; a bundle's words."""
        if isinstance(value, Mapping):
            return self.pick(value)
        if isinstance(value, float):
            return self.percent(value)
        return self.number(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Keep(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
