"""Code lists: ordered codes with their Chinese words, kept as data files beside this module."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple


class Code(NamedTuple):
    """One entry of a list."""

    code: str
    label: str


class CodeList:
    """An ordered list of codes that finds a word by code and a code by word."""

    __slots__ = ("_codes", "_labels", "items", "name")

    def __init__(self, name: str, items: Iterable[tuple[str, str]]) -> None:
        self.name = name
        self.items: tuple[Code, ...] = tuple(Code(str(code), str(label)) for code, label in items)
        self._labels = dict(self.items)
        self._codes = {label: code for code, label in reversed(self.items)}

    def __iter__(self) -> Iterator[Code]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, code: object) -> bool:
        return code in self._labels

    def codes(self) -> tuple[str, ...]:
        """Return the codes in order."""
        return tuple(self._labels)

    def label(self, code: str) -> str:
        """Return the word for a code. Raises KeyError."""
        return self._labels[code]

    def code(self, label: str) -> str:
        """Return the code for a word; an entry's own code and `code-word` count too. Raises KeyError."""
        text = label.strip()
        if text in self._codes:
            return self._codes[text]
        head = text.split("-", 1)[0].strip()
        if text in self._labels or (head in self._labels and text == f"{head}-{self._labels[head]}"):
            return head
        raise KeyError(label)


@cache
def code_list(name: str) -> CodeList:
    """Return a country-wide list by name. Raises KeyError for an unknown name.

    Shape: names are the file names in `codelists`: ethnicity, nationality, id_type, sex, ...
    Lists that differ by region come from `ParameterSet.codes(name)`.
    """
    source = resources.files("app.domain").joinpath("codelists", f"{name}.csv")
    if not name.isidentifier() or not source.is_file():
        raise KeyError(name)
    rows = source.read_text(encoding="utf-8").splitlines()[1:]
    return CodeList(name, (row.split(",", 1) for row in rows if row))  # type: ignore[misc]


def code_list_names() -> list[str]:
    """Return the names of all country-wide lists, sorted."""
    folder = resources.files("app.domain").joinpath("codelists")
    names = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".csv") for name in names if name.endswith(".csv"))
