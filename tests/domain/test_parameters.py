import string
from datetime import date
from decimal import Decimal

import pytest

from app.config import ROOT
from app.domain.calendar import months_between
from app.domain.codes import CodeList, code_list, code_list_names
from app.domain.contribution import STATUSES, tariff
from app.domain.declaration import KINDS
from app.domain.parameters import ParameterFault, ParameterMissing, from_documents
from tests.domain.regions import REGIONS, document, load_region

ROW = {"from": "2026-01", "value": "1", "unit": "yuan", "source": "demo"}


def one(*rows: dict, **keys) -> dict:
    return {"region": "000000", "parameters": {"a": list(rows)}, **keys}


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_is_complete_for_the_years_of_work(region: str) -> None:
    params = load_region(region)
    assert params.region == region
    assert all((params.name, params.slug, params.title, params.agency))
    # a kind that the product does not know is made of files alone
    forms = {path.name.partition(".")[0] for path in (ROOT / "forms").glob("*.json")}
    assert set(params.kinds) - set(KINDS) <= forms
    assert params.offers("enrol")
    for month in months_between("2026-01", "2027-12"):
        for status in STATUSES:
            rule = tariff(params, month, status, params.fund_codes())
            assert rule.items
            assert 0 < rule.floor < rule.cap
    for name in params.names():
        assert params.dated(name, "2027-12").unit
        assert all(dated.source for dated in params.history(name))


@pytest.mark.parametrize("region", REGIONS)
def test_floors_and_caps_are_examples_and_say_so(region: str) -> None:
    assert load_region(region).is_demo("base.cap", "2026-11")


@pytest.mark.parametrize("region", REGIONS)
def test_no_region_invents_a_parameter_name_of_its_own(region: str) -> None:
    others = set(load_region("").names())
    for other in REGIONS:
        if other != region:
            others |= set(load_region(other).names())
    own = set(document(region)["parameters"]) - others
    # what a region may add where the country leaves it out: a list of its own in place of a derived one
    local = (
        *("contribution.", "account.", "window.", "stop.default_reason", "base_annual.times_a_year"),
        *("retirement.funds", "material.max_files."),
    )
    assert [name for name in own if not name.startswith(local)] == []


def test_values_hold_from_month_to_month() -> None:
    params = from_documents(
        one(ROW | {"from": "2026-07", "value": "2"}, ROW | {"to": "2026-05"}), {"parameters": {}}
    )
    assert params.decimal("a", "2026-05") == 1
    assert params.decimal("a", date(2026, 7, 1)) == 2
    assert params.decimal("a", "2099-12") == 2
    for month in ("2025-12", "2026-06"):
        with pytest.raises(ParameterMissing) as caught:
            params.value("a", month)
        assert (caught.value.name, caught.value.region, caught.value.month) == ("a", "000000", month)
    with pytest.raises(ParameterMissing):
        params.value("never_heard_of", "2026-07")
    with pytest.raises(ValueError, match="not a month"):
        params.value("a", "2026-99")


def test_the_region_wins_over_the_country() -> None:
    common = {"parameters": {"a": [ROW], "b": [ROW]}, "messages": {"m": "all", "n": "all"}}
    params = from_documents(one(ROW | {"value": "7"}, messages={"m": "own"}), common)
    assert (params.decimal("a", "2026-02"), params.decimal("b", "2026-02")) == (7, 1)
    assert (params.message("m"), params.message("n")) == ("own", "all")
    with pytest.raises(KeyError):
        params.message("unheard")


@pytest.mark.parametrize(
    "bad",
    [
        one(ROW | {"value": 0.07}),
        one(ROW | {"value": 7}),
        one(ROW | {"value": "seven"}),
        one(ROW | {"from": "2026-13"}),
        one(ROW | {"from": 2026}),
        one(ROW | {"to": "2025-01"}),
        one(ROW, ROW | {"from": "2026-05"}),
        one({"from": "2026-01", "value": "1", "unit": "yuan"}),
        one(),
        one(ROW | {"unit": "flag", "value": "maybe"}),
        one(ROW | {"unit": "list"}),
        one(ROW, surprise=1),
        one(ROW, funds=[{"code": "310", "name": "x", "mode": "sometimes"}]),
    ],
)
def test_a_faulty_file_is_refused(bad: dict) -> None:
    with pytest.raises(ParameterFault):
        from_documents(bad, {})


def test_each_unit_gives_its_type() -> None:
    params = load_region("320500")
    assert params.flag("window.used", "2026-11") is True
    assert params.integer("window.opens_day", "2026-11") == 11
    assert params.text("backpay.mode", "2026-11") == "automatic"
    assert "01" in params.listed("enrol.id_types", "2026-11")
    assert params.decimal("late_fee.daily_rate", "2026-11") == Decimal("0.0005")
    with pytest.raises(TypeError):
        params.text("window.used", "2026-11")


def test_kinds_know_their_channel() -> None:
    params = load_region("320500")
    assert params.offers("enrol")
    assert not params.offers("identity_correction")
    assert params.offers("identity_correction", "counter")
    assert not params.offers("revert", "counter")


def test_labels_and_codes_fall_back_to_the_usual_ones() -> None:
    nantong, suzhou = load_region("320600"), load_region("320500")
    found = [(each.field_label("start_month"), each.kind_label("retirement")) for each in (nantong, suzhou)]
    assert found == [("变更日期", "医保退休办理"), ("本次参保时间", "医保退休办理")]
    assert nantong.kind_label("enrol") == "职工增加申报"
    assert [each.status_label("submitted") for each in (nantong, suzhou)] == ["未处理", "待审核"]
    assert suzhou.field_label("phone", "手机号码") == "手机号码"
    assert nantong.codes("stop_reason").label("10") == "合同期满终止"
    assert suzhou.codes("stop_reason").label("6301").startswith("在职人员")
    assert load_region("320100").codes("stop_reason").label("6311") == "人员调动"


def test_messages_fill_every_placeholder_the_country_knows() -> None:
    def holes(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    common = load_region("").messages
    for region in REGIONS:
        for code, text in document(region)["messages"].items():
            if code in common and holes(common[code]):
                assert holes(text) <= holes(common[code]), (region, code)


@pytest.mark.parametrize("name", code_list_names())
def test_code_lists_are_one_to_one(name: str) -> None:
    found = code_list(name)
    assert len({code.code for code in found}) == len({code.label for code in found}) == len(found) > 1
    assert all(code.code.strip() == code.code and code.label.strip() for code in found)


def test_long_lists_are_whole() -> None:
    assert len(code_list("ethnicity")) == 58
    assert code_list("ethnicity").label("20") == "傈僳族"
    assert len(code_list("nationality")) > 240
    assert code_list("nationality").codes()[0] == "CHN"
    assert code_list("fund").label("37001") == "地方补充医疗保险"


def test_a_word_a_code_or_both_find_an_entry() -> None:
    reasons = CodeList("reasons", [("10", "合同期满终止"), ("11", "辞职")])
    words = ("合同期满终止", "10", "10-合同期满终止", " 辞职 ")
    assert [reasons.code(text) for text in words] == ["10", "10", "10", "11"]
    assert "10" in reasons
    for wrong in ("10-辞职", "12", ""):
        with pytest.raises(KeyError):
            reasons.code(wrong)
    with pytest.raises(KeyError):
        code_list("../parameters")
