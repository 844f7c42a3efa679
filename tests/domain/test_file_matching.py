"""Whose document a file is, by its name."""

import pytest

from app.domain.file_matching import Named, Names, item_in, match, numbers_in

ITEMS = {"identity_card": "身份证复印件", "transfer_order": "调令", "contract_end": "解除劳动合同证明"}
PEOPLE = [
    Named(1, "张三", "1234"),
    Named(2, "张三丰", "2222"),
    Named(3, "李伟", "3333"),
    Named(4, "李伟", "444X"),
    Named(5, "买买提·吐尔逊", "5555"),
    Named(6, "O'Neil Ann", "6666"),
]
BY_NUMBER = {"610502199001011234": [1], "61050219900101444X": [4], "G1234567": [6]}


@pytest.mark.parametrize(
    ("name", "people", "item"),
    [
        ("张三身份证.jpg", [1], "identity_card"),
        ("2_张 三 调令.PDF", [1], "transfer_order"),
        ("张三丰-身份证复印件(1).png", [2], "identity_card"),
        ("张三和张三丰.pdf", [1, 2], ""),
        ("李伟身份证.jpg", [3, 4], "identity_card"),
        ("李伟3333身份证.jpg", [3], "identity_card"),
        ("李伟444x.jpg", [4], ""),
        ("610502199001011234.jpg", [1], ""),
        ("610502199001011234 李伟 调令.jpg", [1], "transfer_order"),
        ("６１０５０２１９９００１０１４４４x_身份证.jpg", [4], "identity_card"),
        ("护照g1234567.jpg", [6], ""),
        ("买买提吐尔逊 身份证.jpg", [5], "identity_card"),
        ("o'neil ann.pdf", [6], ""),
        ("扫描件0001.pdf", [], ""),
        ("身份证.pdf", [], "identity_card"),
        (r"C:\scan\张三\解除合同证明.pdf", [], "contract_end"),
        ("", [], ""),
        ("610502199001011299.jpg", [], ""),
    ],
)
def test_whose_document_a_file_is(name, people, item):
    found = match(name, Names.of(PEOPLE), BY_NUMBER, ITEMS)
    assert (list(found.people), found.item) == (people, item)


def test_a_person_named_like_an_item_is_not_found_in_its_name():
    names = Names.of([Named(1, "调令"), Named(2, "王五")])
    assert list(match("王五调令.pdf", names, {}, ITEMS).people) == [2]


def test_two_items_that_fit_alike_are_not_guessed():
    assert item_in("证明.pdf", {"a": "死亡证明", "b": "收入证明"}) == ""
    assert item_in("死亡证明.pdf", {"a": "死亡证明", "b": "收入证明"}) == "a"


def test_short_runs_are_no_numbers():
    assert numbers_in("20260101_0001.pdf") == ["20260101"]
    assert numbers_in("第12页.jpg") == []
