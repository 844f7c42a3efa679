"""Which entries stand where in a side menu: a region's own groups first, and all that they do not name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from app.domain.menu import DECLARE, MenuGroup, MenuItem
from app.web.menus import BATCH_PAGE, FORM_PAGE, Entry, Group, batch_entry, kind_entry

# The file of a kind stands beside its form, under the name (kind, True).
Place = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Arranged:
    """A group as it is shown: `own` are the region's words for its title, else label and text of the code.

    `unfilled` marks one that the region's menu has by its title alone.
    """

    text: object
    label: str
    own: str
    note: str
    entries: tuple[Entry, ...]
    unfilled: bool = False


def arranged(groups: Sequence[Group], own: Sequence[MenuGroup], others: Collection[str]) -> list[Arranged]:
    """Arrange a side's entries.

    Shape: `own` is the region's menu, empty where it has none; `others` are kinds that the region offers and
    that no entry of the code is about. What the region does not name stays in the code's order: in the
    region's group that gathers for it, else in the code's own.
    """
    if others:
        more = tuple(entry for kind in others for entry in (kind_entry(kind), batch_entry(kind)))
        groups = [_with(group, more) if group.key == DECLARE else group for group in groups]
    if not own:
        return [Arranged(each.text, each.label, "", "", each.entries) for each in groups]
    known = [entry for group in groups for entry in group.entries]
    used = {_place(item) for group in own for item in group.items}
    rest = {
        group.key: tuple(entry for entry in group.entries if _place_of(entry) not in used) for group in groups
    }
    shown = []
    for each in own:
        named = tuple(_named(item, known) for item in each.items)
        gathered = tuple(entry for key in each.gathers for entry in rest.pop(key, ()))
        shown.append(Arranged("", "", each.title, each.note, (*named, *gathered), not named))
    left = [
        Arranged(group.text, group.label, "", "", rest[group.key]) for group in groups if rest.get(group.key)
    ]
    # home stands first; the rest of the code's groups last
    home = [group for group in left if not group.text]
    return [*home, *shown, *(group for group in left if group.text)]


def _with(group: Group, more: Iterable[Entry]) -> Group:
    return replace(group, entries=(*group.entries, *more))


def _named(item: MenuItem, known: Iterable[Entry]) -> Entry:
    """The entry that an item of a region's menu stands for; one without a page where there is none."""
    place = _place(item)
    entry = next((each for each in known if _place_of(each) == place), None)
    if entry is None and item.kind:
        entry = batch_entry(item.kind) if item.batch else kind_entry(item.kind)
    if entry is None:
        return Entry(item.page, item.text, "circle-dashed", named=True, own=item.text)
    # its own word makes the usual label of a file unnecessary
    label = "" if item.text else entry.label
    args = (*entry.args, *item.args.items())
    return replace(entry, named=True, own=item.text, label=label, args=args)


def _place(item: MenuItem) -> Place:
    return (item.kind, item.batch) if item.kind else (item.page, False)


def _place_of(entry: Entry) -> Place:
    if entry.endpoint in (FORM_PAGE, BATCH_PAGE):
        return entry.kind, entry.endpoint == BATCH_PAGE
    return entry.endpoint, False
