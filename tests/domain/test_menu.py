"""A region's menu as its file writes it."""

import pytest

from app.domain.menu import MenuFault, MenuItem, kinds_named, read_menu
from tests.domain.regions import REGIONS, load_region


def test_entries_are_kinds_files_pages_and_what_is_not_open():
    (group, empty) = read_menu(
        [
            {
                "title": "网上经办",
                "gathers": "declare",
                "entries": [
                    "enrol",
                    "enrol.batch",
                    {"kind": "base", "text": "工资"},
                    {"page": "declarations.submitted", "args": {"view": "waiting"}, "text": "待审核"},
                    {"text": "单位年报"},
                ],
            },
            {"title": "招采平台"},
        ]
    )
    assert group.gathers == ("declare",)
    assert group.items == (
        MenuItem("enrol"),
        MenuItem("enrol", batch=True),
        MenuItem("base", text="工资"),
        MenuItem(page="declarations.submitted", text="待审核", args={"view": "waiting"}),
        MenuItem(text="单位年报"),
    )
    assert (empty.title, empty.items) == ("招采平台", ())
    assert kinds_named([group, empty]) == {"enrol", "base"}


@pytest.mark.parametrize(
    "wrong",
    [
        "enrol",
        [{"entries": []}],
        [{"title": "一", "colour": "red"}],
        [{"title": "一", "gathers": "everything"}],
        [{"title": "一", "entries": [{}]}],
        [{"title": "一", "entries": [{"args": {"a": "b"}}]}],
        [{"title": "一", "entries": [{"kind": "enrol", "colour": "red"}]}],
    ],
)
def test_what_cannot_be_shown_is_refused(wrong):
    with pytest.raises(MenuFault):
        read_menu(wrong)


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_the_menu_of_its_manual(region):
    params = load_region(region)
    assert params.menu
    assert all(params.offers(kind) for kind in kinds_named(params.menu))
    assert [name for group in params.menu for name in group.gathers].count("declare") == 1
