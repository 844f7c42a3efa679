"""Whose document a file is, by its name: an identity number, a person's name, and what the document is.

People name scans as they like: `张三身份证.jpg`, `2_李四 调令.pdf`, `610502199001011234.png`. A number
decides over a name; the longest name that fits decides over a shorter one inside it; two people of one name
are told apart by the last digits of their numbers where the file name gives them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# shorter runs are dates, page numbers, parts of phone numbers
_NUMBER = re.compile(r"[0-9A-Z]{6,20}", re.ASCII)
_LAST = 4
_LEAST_SHARED = 2
_SIGNS = re.compile(r"[\s_\-—.，,、()（）\[\]【】·•]+")


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody whose document a file may be; `key` is the caller's, `last4` ends the identity number."""

    key: int
    name: str
    last4: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Who a file name may mean (nobody, one, several) and which item, "" where its name does not say."""

    people: Sequence[int]
    item: str = ""


@dataclass(slots=True)
class Names:
    """People by their names, made once for many files."""

    _by_first: dict[str, dict[str, list[Named]]] = field(default_factory=dict)

    @classmethod
    def of(cls, people: Iterable[Named]) -> Names:
        """Gather the people that files may mean."""
        names = cls()
        for each in people:
            plain = normal(each.name)
            if plain:
                names._by_first.setdefault(plain[0], {}).setdefault(plain, []).append(each)
        return names

    def found_in(self, text: str) -> list[Named]:
        """Everybody whose name stands in a normalised text; a name inside a longer one does not count."""
        found: list[Named] = []
        place = 0
        while place < len(text):
            here = self._by_first.get(text[place], {})
            best = max((name for name in here if text.startswith(name, place)), key=len, default="")
            found += [each for each in here.get(best, ()) if each not in found]
            place += max(len(best), 1)
        return found


def normal(text: str) -> str:
    """A name or file name in the form in which they are compared: one width, upper case, no signs."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).upper())


def stem_of(file_name: str) -> str:
    """A file's name without folders and extension."""
    plain = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    head, dot, _ = plain.rpartition(".")
    return head if dot else plain


def numbers_in(file_name: str) -> list[str]:
    """Runs of digits and letters in a file's name that may be an identity number, whole."""
    text = unicodedata.normalize("NFKC", stem_of(file_name)).upper()
    return list(dict.fromkeys(_NUMBER.findall(text)))


def item_in(file_name: str, items: Mapping[str, str]) -> str:
    """Which item (code -> name) a file's name speaks of: the one that it shares the longest run with."""
    text = normal(stem_of(file_name))
    shared = {code: _longest_shared(normal(name), text) for code, name in items.items()}
    most = max(shared.values(), default=0)
    best = [code for code, length in shared.items() if length == most]
    return best[0] if most >= _LEAST_SHARED and len(best) == 1 else ""


def match(
    file_name: str, names: Names, by_number: Mapping[str, Sequence[int]], items: Mapping[str, str]
) -> Found:
    """Say whose document a file is and which item.

    Shape: `by_number` gives who has a number of `numbers_in`; `items` are the codes and names of all items.
    """
    text = normal(stem_of(file_name))
    item = item_in(file_name, items)
    numbered = [key for number in numbers_in(file_name) for key in by_number.get(number, ())]
    if numbered:
        return Found(list(dict.fromkeys(numbered)), item)
    without_item = text.replace(normal(items[item]), " ") if item else text
    named = names.found_in(without_item)
    if len(named) > 1:
        told = [each for each in named if len(each.last4) == _LAST and each.last4.upper() in text]
        named = told or named
    return Found([each.key for each in named], item)


def _longest_shared(one: str, other: str) -> int:
    """The length of the longest run that two short texts share."""
    best, before = 0, [0] * (len(other) + 1)
    for letter in one:
        row = [0] * (len(other) + 1)
        for place, against in enumerate(other, 1):
            if letter == against:
                row[place] = before[place - 1] + 1
                best = max(best, row[place])
        before = row
    return best
