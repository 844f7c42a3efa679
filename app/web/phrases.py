"""Sentences that were filled in before they reached the page, in the reader's language.

Refusals and results come from published parameters with their values already in place (最多选择 2 项), so
the catalogue does not know them as they stand. Their pattern is a message id (最多选择 {limit} 项): the
values are taken out of the sentence, and put into the translated pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from string import Formatter

from babel.messages.mofile import read_mo

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Shorter texts are words, and words are looked up as they are.
_SHORTEST = 4
# A pattern with hardly a word of its own ({hours}天) would fit names and addresses too: it takes numbers,
# and only as a value of another sentence.
_LEAST_OWN = 3
_NUMBER = r"\d+"

_Patterns = list[tuple[re.Pattern[str], str]]


def translated_sentence(text: str, catalogue: str) -> str:
    """The sentence by the patterns of a compiled catalogue (its path), or the text itself."""
    if len(text) < _SHORTEST or not _CHINESE.search(text):
        return text
    return _filled(text, catalogue)


@lru_cache(maxsize=2048)
def _filled(text: str, catalogue: str) -> str:
    plain, patterns, quantities = _read(catalogue)
    for pattern, words in patterns:
        if found := pattern.fullmatch(text):
            values = {name: _value(value, plain, quantities) for name, value in found.groupdict().items()}
            return words.format_map(values)
    return text


def _value(value: str, plain: dict[str, str], quantities: _Patterns) -> str:
    return ", ".join(_word(part, plain, quantities) for part in value.split("、"))


def _word(part: str, plain: dict[str, str], quantities: _Patterns) -> str:
    for pattern, words in quantities:
        if found := pattern.fullmatch(part):
            return words.format_map(found.groupdict())
    return plain.get(part, part)


@lru_cache(maxsize=4)
def _read(catalogue: str) -> tuple[dict[str, str], _Patterns, _Patterns]:
    """The plain entries, the patterns with the most words of their own first, and quantities ({hours}天)."""
    with Path(catalogue).open("rb") as file:
        messages = {
            str(each.id): str(each.string)
            for each in read_mo(file)
            if isinstance(each.id, str) and not each.context
        }
    plain = {text: words for text, words in messages.items() if "{" not in text}
    templates = sorted((text for text in messages if "{" in text), key=_literal, reverse=True)
    patterns = [(_pattern(text), messages[text]) for text in templates if _literal(text) >= _LEAST_OWN]
    quantities = [
        (_pattern(text, value=_NUMBER), messages[text]) for text in templates if _literal(text) < _LEAST_OWN
    ]
    return plain, patterns, quantities


def _literal(template: str) -> int:
    return sum(len(text) for text, _name, _spec, _conversion in Formatter().parse(template))


def _pattern(template: str, value: str = ".+?") -> re.Pattern[str]:
    parts: list[str] = []
    named: set[str] = set()
    for text, name, _spec, _conversion in Formatter().parse(template):
        parts.append(re.escape(text))
        if name:
            parts.append(f"(?P={name})" if name in named else f"(?P<{name}>{value})")
            named.add(name)
    return re.compile("".join(parts), re.DOTALL)
