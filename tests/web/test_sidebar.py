"""Which entries stand where: a region's groups, what they do not name, and what nobody has yet."""

import re

import pytest

from app.domain.menu import read_menu
from app.web.menus import Entry, Group, batch_entry, kind_entry
from app.web.sidebar import arranged
from tests.domain.regions import REGIONS, load_region

HOME = Group("", (Entry("hall.home", "首页", "home"),), key="home")
DECLARE = Group("网上经办", (kind_entry("enrol"), batch_entry("enrol"), kind_entry("stop")), key="declare")
QUERY = Group("业务查询", (Entry("queries.people", "人员", "users"),), key="query")


def shape(groups):
    return [
        (str(group.own or group.text), [each.kind or each.endpoint or each.own for each in group.entries])
        for group in groups
    ]


def test_a_region_without_a_menu_has_the_usual_one_and_new_kinds_in_it():
    found = arranged((HOME, DECLARE, QUERY), (), ["seal_record"])
    assert shape(found) == [
        ("", ["hall.home"]),
        ("网上经办", ["enrol", "enrol", "stop", "seal_record", "seal_record"]),
        ("业务查询", ["queries.people"]),
    ]


def test_a_regions_own_groups_come_first_and_gather_the_rest():
    own = read_menu(
        [
            {"title": "人员业务", "entries": ["stop", {"text": "年报"}], "gathers": "declare"},
            {"title": "招采平台"},
        ]
    )
    found = arranged((HOME, DECLARE, QUERY), own, ["seal_record"])
    assert shape(found) == [
        ("", ["hall.home"]),
        ("人员业务", ["stop", "年报", "enrol", "enrol", "seal_record", "seal_record"]),
        ("招采平台", []),
        ("业务查询", ["queries.people"]),
    ]
    assert [group.unfilled for group in found] == [False, False, True, False]


def test_a_page_may_stand_several_times():
    own = read_menu(
        [{"title": "查询", "entries": [{"page": "queries.people", "args": {"q": str(n)}} for n in (1, 2)]}]
    )
    (_home, mine, _left) = arranged((HOME, DECLARE, QUERY), own, ())
    assert [each.args for each in mine.entries] == [(("q", "1"),), (("q", "2"),)]


# the groups of the manuals: NT-2, JS-nav, SZ, NJ-1h, WN-2 (PRACTICE on 工伤)
TITLES = {
    "nantong": ["申报管理", "提交管理", "查询管理"],
    "huaian": ["网上经办", "业务查询", "报表打印", "系统反馈"],
    "lianyungang": ["网上经办", "业务查询", "报表打印", "系统反馈"],
    "suzhou": ["网上经办", "业务查询", "报表打印", "申报信息查询"],
    "nanjing": [
        "单位人员建档", "单位参停保办理", "单位信息管理", "单位征缴信息查询", "单位证明打印", "医保退休管理",
        "职工医保待遇（单位）", "生育待遇（单位）", "招采平台",
    ],
    "weinan": ["医疗业务", "生育业务", "工伤业务", "单位信息变更", "信息查询"],
}  # fmt: skip


@pytest.mark.parametrize("city", TITLES)
def test_the_menu_follows_the_manual(visit, city):
    page = visit(f"{city}.handler").get("/hall").text
    side = page[page.index('class="side-in"') :]
    titles = re.findall(r'class="side-title">([^<]+)<', side)
    assert titles[: len(TITLES[city])] == TITLES[city]
    assert "未开通" in side
    if city == "weinan":
        assert "不在本系统办理" in side


@pytest.mark.parametrize("region", REGIONS)
def test_the_pages_that_a_menu_names_are_there(app, region):
    pages = {item.page for group in load_region(region).menu for item in group.items if item.page}
    assert pages <= set(app.view_functions)


def test_home_offers_each_page_once(visit):
    page = visit("weinan.handler").get("/hall").text
    shortcuts = page[page.index('class="shortcuts') :]
    links = re.findall(r'<a href="([^"]+)"', shortcuts[: shortcuts.index("</div>")])
    assert links
    assert len(links) == len(set(links))
