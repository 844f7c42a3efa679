"""The repository's forms, used the way a page uses them."""

from __future__ import annotations

from datetime import date

import pytest

from app.errors import FieldError
from app.formspec.form import Form
from app.formspec.openapi import component_name, component_schema
from app.formspec.resolve import FormDocumentError
from app.formspec.validate import validate
from tests.formspec.people import identity_number, number_ending_in_x

TODAY = date(2026, 11, 8)


def suzhou_input(**changes: object) -> dict[str, object]:
    typed = {
        "id_type": "01",
        "id_number": identity_number(7, "320500"),
        "name": "测试甲",
        "ethnicity": "01",
        "first_work_date": "2015/7/1",
        "start_date": "2026-11-01",
        "phone": "13900000000",
        "person_type": "1101",
        "wage_yuan": "9805",
        "funds": ["310", "330", "510"],
    }
    typed.update(changes)
    return typed


def messages(form: Form, typed: dict[str, object], partial: bool = False) -> dict[str, str]:
    return {error.field: error.message for error in validate(form, form.parse(typed), partial, TODAY)}


def test_every_form_compiles_and_has_its_contract_names(forms):
    expected = {
        "enrol.320500": {"id_type", "id_number", "name", "sex", "birth_date", "ethnicity", "nationality",
                         "phone", "first_work_date", "person_type", "wage_yuan", "start_date", "funds",
                         "bank_name", "bank_account_name", "bank_account", "remark"},
        "enrol.320600": {"id_number", "name", "post", "education", "start_month", "wage_yuan"},
        "enrol.610500": {"id_number", "name", "start_month", "wage_yuan", "funds"},
        "audit": {"decision", "opinion", "return_fields"},
    }  # fmt: skip
    # what the clerk confirms follows from the registry alone: nothing is asked but a remark
    nothing_asked = {"base_carry": {"remark"}}
    for name, form in forms.items():
        if name in nothing_asked:
            assert {field.name for field in form.fields if not field.readonly} == nothing_asked[name]
            assert form.validator.is_valid({"anything": "else"}) is False
        else:
            assert form.validator.is_valid({}) is False, name
        assert expected.get(name, set()) <= set(form.by_name), name
        assert form.sections, name
        assert all(entry.title != entry.name for entry in form.fields), name
        assert all(entry.section in ("", *[s["id"] for s in form.schema.get("x-sections", [])])
                   for entry in form.fields), name  # fmt: skip


def test_the_identity_number_fills_what_follows_from_it(forms):
    data = forms["enrol.320500"].parse(suzhou_input(id_number="１１０１０５１９４９１２３１００２x"))
    assert data["id_number"] == "11010519491231002X"
    assert (data["birth_date"], data["sex"], data["nationality"]) == ("1949-12-31", "2", "CHN")


def test_what_is_typed_becomes_typed_data(forms):
    form = forms["enrol.320500"]
    data = form.parse(
        suzhou_input(wage_yuan="9,805.5", name=" 测试甲 ", phone="139 0000-0000", csrf_token="t")
    )
    assert data["wage_yuan"] == "9805.50"
    assert data["name"] == "测试甲"
    assert data["phone"] == "13900000000"
    assert data["first_work_date"] == "2015-07-01"
    assert data["funds"] == ["310", "330", "510"]
    assert "csrf_token" not in data
    assert validate(form, data, today=TODAY) == []


def test_what_does_not_fit_is_kept_as_typed_and_refused_in_words(forms):
    form = forms["enrol.320500"]
    typed = suzhou_input(wage_yuan="八千", start_date="2026-13-01", phone="12345", name="测 试 < 甲")
    assert form.parse(typed)["wage_yuan"] == "八千"
    assert messages(form, typed) == {
        "name": "姓名：姓名中不能有多余的空格或尖括号",
        "start_date": "本次参保时间：请填写真实存在的日期，格式如 2020/01/01",
        "phone": "手机号码：请填写 11 位手机号码",
        "wage_yuan": "申报工资（元）：请填写金额，最多两位小数",
    }


@pytest.mark.parametrize("typed", ["1e4", "8_000", "٨٠٠٠", "0x10", "Infinity", "NaN", "8000.5.", "9" * 40])
def test_an_amount_is_digits_and_nothing_else(forms, typed):
    form = forms["enrol.320500"]
    assert form.parse({"wage_yuan": typed})["wage_yuan"] == typed
    assert set(messages(form, suzhou_input(wage_yuan=typed))) == {"wage_yuan"}


@pytest.mark.parametrize("typed", ["9805", "9,805.0", "９８０５", "￥9805元", " 9805. ", "+9805"])
def test_an_amount_may_be_written_as_people_do(forms, typed):
    assert forms["enrol.320500"].parse({"wage_yuan": typed})["wage_yuan"] == "9805.00"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"first_work_date": "2026-11-09"}, "参加工作日期：不能晚于今天（2026-11-08）"),
        ({"first_work_date": "1899-01-01"}, "参加工作日期：请填写真实存在的日期，格式如 2020/01/01"),
        ({"first_work_date": "1950-01-01"}, "参加工作日期：不能早于出生日期"),
        ({"first_work_date": "2026-11-08"}, ""),
    ],
)
def test_a_life_runs_in_order(forms, typed, words):
    found = messages(forms["enrol.320500"], suzhou_input(**typed))
    assert found == ({"first_work_date": words} if words else {})


def test_nobody_is_born_tomorrow(forms):
    passport = suzhou_input(id_type="08", id_number="e12345678", nationality="USA", sex="1")
    found = messages(forms["enrol"], {**passport, "birth_date": "2026-11-09", "first_work_date": ""})
    assert found["birth_date"] == "出生日期：不能晚于今天（2026-11-08）"


def test_missing_fields_are_named_in_page_order(forms):
    refusals = validate(forms["enrol.320600"], {})
    assert [error.message for error in refusals] == [
        "请填写身份证号码", "请选择工作岗位", "请选择文化程度", "请选择变更日期", "请填写缴费工资",
    ]  # fmt: skip
    assert refusals[0] == FieldError("id_number", "required", "请填写身份证号码")


def test_a_draft_may_be_incomplete_but_not_wrong(forms):
    form = forms["enrol.320500"]
    assert messages(form, {"name": "测试甲"}, partial=True) == {}
    assert messages(form, {"phone": "1"}, partial=True) == {"phone": "手机号码：请填写 11 位手机号码"}


def test_unknown_fields_are_refused(forms):
    assert "status" in messages(forms["enrol.320500"], suzhou_input(status="approved"))


def test_read_only_fields_are_not_taken_from_the_client(forms):
    form = forms["enrol.320600"]
    assert form.by_name["name"].readonly
    assert "name" not in form.parse({"name": "冒名", "id_number": identity_number(1)})


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (identity_number(3)[:-1] + ("0" if identity_number(3)[-1] != "0" else "1"), "校验码不正确"),
        ("32060019901301001X", "出生日期部分不是真实日期"),
        ("320600900101001", "身份证号码应为 18 位"),
        ("3206001990010100A1", "前 17 位应为数字，末位为数字或大写字母 X"),
    ],
)
def test_a_wrong_identity_number_says_what_is_wrong(forms, number, words):
    assert (
        messages(forms["enrol.320500"], suzhou_input(id_number=number))["id_number"] == f"证件号码：{words}"
    )


def test_typed_birth_date_must_agree_with_the_card(forms):
    wrong = messages(forms["enrol.320500"], suzhou_input(birth_date="1991-01-01", sex="2"))
    assert wrong["birth_date"] == "出生日期：与证件号码不一致"


def test_other_documents_need_birth_date_and_sex(forms):
    form = forms["enrol.320500"]
    passport = suzhou_input(id_type="08", id_number="e12345678", nationality="USA")
    assert set(messages(form, passport)) == {"birth_date", "sex"}
    assert messages(form, {**passport, "birth_date": "1980-02-29", "sex": "1"}) == {}


def test_the_residence_permit_names_its_region(forms):
    number = identity_number(5, "810000")
    assert forms["enrol"].parse({"id_type": "17", "id_number": number})["nationality"] == "HKG"


def test_nantong_wants_whole_yuan_and_a_month(forms):
    form = forms["enrol.320600"]
    typed = {"id_number": number_ending_in_x().lower(), "post": "02", "education": "21",
             "start_month": "201608", "wage_yuan": "6000"}  # fmt: skip
    assert form.parse(typed)["start_month"] == "2016-08"
    assert messages(form, typed) == {}
    assert messages(form, {**typed, "wage_yuan": "6000.5", "start_month": "201613"}) == {
        "wage_yuan": "缴费工资：只填写整数，不保留小数",
        "start_month": "变更日期：请填写年月，格式如 202608",
    }


def test_bundled_boxes_become_funds(forms):
    form = forms["enrol.320100"]
    field = form.by_name["funds"]
    data = form.parse({"funds": ["310,510", "330"]})
    assert data["funds"] == ["310", "510", "330"]
    assert [option.label for option in field.options if field.selected(option, data["funds"])] == [
        "医疗（生育）保险", "大病救助医疗保险",
    ]  # fmt: skip
    assert field.label_of(data["funds"]) == "医疗（生育）保险、大病救助医疗保险"


def test_a_box_of_several_funds_is_not_split(forms):
    form = forms["enrol.320100"]
    for funds in (["310"], ["510"], ["510", "330"]):
        assert messages(form, {"funds": funds})["funds"] == "参保险种：“医疗（生育）保险”应整项选择"
    for funds in (["310,510"], ["510", "310", "330"], ["330", "410"]):
        assert "funds" not in messages(form, {"funds": funds})


def test_a_missing_tick_is_asked_for_as_one(forms):
    assert messages(forms["materials"], {}) == {"materials_confirmed": "请勾选材料确认"}


def test_bank_details_are_wanted_by_the_platform_and_whole_in_suzhou(forms):
    assert messages(forms["enrol"], suzhou_input())["bank_account"] == "请填写银行账号"
    assert set(messages(forms["enrol.320500"], suzhou_input(bank_name="示例银行"))) == {
        "bank_account_name", "bank_account",
    }  # fmt: skip


def test_refusing_and_returning_need_an_opinion(forms):
    form = forms["audit"]
    assert messages(form, {"decision": "approve"}) == {}
    assert messages(form, {"decision": "reject"}) == {"opinion": "请填写审批意见"}
    assert (
        messages(form, {"decision": "return", "opinion": "请核对", "return_fields": ["name", "phone"]}) == {}
    )
    assert messages(form, {"decision": "delete"}) == {"decision": "审核结论：请从列表中选择"}


def test_reading_form_shows_words_not_codes(forms):
    form = forms["enrol.320500"]
    shown = {entry.name: text for entry, text in form.reading(form.parse(suzhou_input()))}
    assert shown["ethnicity"].startswith("汉")
    assert shown["id_type"].startswith("居民身份证")
    assert "职工基本医疗保险" in shown["funds"]


def test_long_lists_are_searchable_and_options_can_be_given_at_render_time(forms):
    form = forms["enrol"]
    assert form.by_name["ethnicity"].searchable
    assert not form.by_name["sex"].searchable
    assert form.by_name["funds"].options_from == "employer_funds"
    offered = form.by_name["funds"].with_options([("310", "职工基本医疗保险")])
    assert [option.value for option in offered.options] == ["310"]


def test_the_api_component_stands_alone(forms):
    for form in forms.values():
        text = repr(component_schema(form))
        assert "'x-" not in text
        assert "$ref" not in text
    assert component_name(forms["enrol.320500"]) == "enrol.320500"
    assert component_schema(forms["enrol"])["properties"]["name"]["title"] == "姓名"


def simple(properties: dict, **more: object) -> Form:
    shared = {
        "shared/a": {"$defs": {"x": {"type": "string", "maxLength": 5}, "loop": {"$ref": "#/$defs/loop"}}}
    }
    return Form.from_documents(
        "t", {"type": "object", "properties": properties, **more}, shared, {"c": [("1", "一")]}
    )


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"a": {"$ref": "shared/a.json#/$defs/y"}}, "nothing is defined"),
        ({"a": {"$ref": "shared/b.json#/$defs/x"}}, "nothing is defined"),
        ({"a": {"$ref": "shared/a.json#/$defs/loop"}}, "loop"),
        ({"a": {"$ref": "shared/a.json#/$defs/x", "maxLength": 50}}, "already set"),
        ({"a": {"type": "string", "x-codes": "none"}}, "no code list"),
        ({"a": {"type": "string", "x-codes": "c", "enum": ["2"]}}, "has no"),
        ({"a": {"type": "string", "x-widget": "spinner"}}, "no control"),
    ],
)
def test_a_broken_document_is_refused_with_its_place(properties, reason):
    with pytest.raises(FormDocumentError, match=reason):
        simple(properties)


@pytest.mark.parametrize("pattern", ["^(?=a)", "(a)\\1", "(?!b)", "(?<=c)d"])
def test_patterns_that_need_backtracking_are_refused(pattern):
    form = simple({"a": {"type": "string", "pattern": pattern}})
    with pytest.raises(FormDocumentError):
        _ = form.validator
