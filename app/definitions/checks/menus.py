"""A region's menu names what the region offers online, with words for each entry."""

from __future__ import annotations

from collections.abc import Iterator

from app.definitions.checks.problem import Files, Problem
from app.definitions.files import PARAMETERS, Key
from app.domain.menu import GATHERED, MenuItem
from app.domain.parameters import ONLINE, ParameterSet


def check_menus(known: Files) -> Iterator[Problem]:
    """List entries of unknown kinds, of kinds for the counter only, and entries without words."""
    for region, parameters in known.parameters.items():
        file = Key(PARAMETERS, region, region).path
        gathered = [name for group in parameters.menu for name in group.gathers]
        for name in GATHERED:
            if gathered.count(name) > 1:
                yield Problem(file, "menu", "menu_gathers", f"只能有一个菜单组收纳其余事项：{name}")
        for group in parameters.menu:
            for item in group.items:
                for code, message in _item(item, parameters):
                    yield Problem(file, f"menu {group.title}", code, message)


def _item(item: MenuItem, parameters: ParameterSet) -> Iterator[tuple[str, str]]:
    if not item.kind:
        return
    if item.kind not in parameters.kinds:
        yield "menu_kind", f"菜单中的事项没有列入 kinds：{item.kind}"
    elif parameters.kinds[item.kind] != ONLINE:
        yield "menu_kind", f"菜单中的事项不在网上办理：{item.kind}"
    elif item.batch and not (item.text or f"kind.{item.kind}.batch" in parameters.labels):
        yield "menu_text", f"菜单中的批量事项没有名称：{item.kind}.batch"
