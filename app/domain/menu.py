"""A region's menu of the hall as its file writes it: groups and entries in the order of its manual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BATCH = ".batch"
# The product's own groups: what a region's menu does not name falls into the group that gathers for it.
DECLARE, MANAGE, QUERY, PRINT = "declare", "manage", "query", "print"
GATHERED = (DECLARE, MANAGE, QUERY, PRINT)
_GROUP_KEYS = frozenset({"title", "gathers", "note", "entries"})
_ENTRY_KEYS = frozenset({"kind", "page", "text", "args"})


class MenuFault(ValueError):
    """A menu is written in a way that cannot be shown: the message names the place."""


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry: a kind's form or batch file, a page by its name, or (neither) one that is not open here.

    Shape: `text` is the entry's own word, "" for the usual one; `args` narrow a page.
    """

    kind: str = ""
    batch: bool = False
    page: str = ""
    text: str = ""
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """A titled part of the menu; `gathers` are groups of the product that it takes the rest of.

    A group without entries says `note` beside its title, or that it is not open.
    """

    title: str
    items: Sequence[MenuItem] = ()
    gathers: Sequence[str] = ()
    note: str = ""


def read_menu(rows: Any) -> tuple[MenuGroup, ...]:
    """Return the groups of a parsed `menu:`; an entry is a kind, `<kind>.batch`, or {page|kind, text, args}.

    Raises: MenuFault.
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise MenuFault("menu: a list of groups is needed")
    return tuple(_group(number, row) for number, row in enumerate(rows, 1))


def kinds_named(groups: Iterable[MenuGroup]) -> set[str]:
    """Return the kinds that a menu names, singly or by file."""
    return {item.kind for group in groups for item in group.items if item.kind}


def _group(number: int, row: Any) -> MenuGroup:
    place = f"menu: group {number}"
    if not isinstance(row, Mapping) or not isinstance(row.get("title"), str):
        raise MenuFault(f"{place} has no title")
    _refuse_unknown(place, row, _GROUP_KEYS)
    gathers = row.get("gathers") or ()
    gathers = (gathers,) if isinstance(gathers, str) else tuple(gathers)
    strange = [name for name in gathers if name not in GATHERED]
    if strange:
        raise MenuFault(f"{place}: gathers is one of {', '.join(GATHERED)}")
    items = tuple(_item(place, entry) for entry in row.get("entries") or ())
    return MenuGroup(row["title"], items, gathers, str(row.get("note") or ""))


def _item(place: str, entry: Any) -> MenuItem:
    if isinstance(entry, str):
        entry = {"kind": entry}
    if not isinstance(entry, Mapping) or not entry:
        raise MenuFault(f"{place}: an entry is a kind or a mapping")
    _refuse_unknown(place, entry, _ENTRY_KEYS)
    kind, page, text = (str(entry.get(name) or "") for name in ("kind", "page", "text"))
    if not (kind or page or text):
        raise MenuFault(f"{place}: an entry names a kind, a page or a text")
    args = {str(name): str(value) for name, value in (entry.get("args") or {}).items()}
    return MenuItem(kind.removesuffix(BATCH), kind.endswith(BATCH), page, text, args)


def _refuse_unknown(place: str, row: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = set(row) - known
    if unknown:
        raise MenuFault(f"{place}: unknown keys {', '.join(sorted(map(str, unknown)))}")
