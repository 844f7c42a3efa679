"""Templates as they are handed out: the region's name, the employer's facts, its people where asked."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from app.errors import NotFound
from app.services import templates
from app.store.employers import get_employer


def sheet_of(made):
    return load_workbook(BytesIO(made.content)).active


def test_a_template_carries_where_it_comes_from(nantong, now):
    made = templates.template_of(nantong, "enrol", now)
    assert made.file_name == "psnAdd.xlsx"
    book = load_workbook(BytesIO(made.content))
    facts = {row[0].value: row[1].value for row in book["模板信息"].iter_rows(max_col=2)}
    employer = get_employer(nantong.employer_id)
    assert facts["employer"] == employer.employer_no
    assert (facts["kind"], facts["region"], facts["version"]) == ("enrol", employer.region, made.form_version)
    assert book["模板信息"].sheet_state == "veryHidden"


def test_a_stop_file_lists_the_insured_with_the_usual_reason(nantong, now):
    made = templates.template_of(nantong, "stop", now)
    employer = get_employer(nantong.employer_id)
    assert made.file_name == f"企业({employer.employer_no})职工批量减少申报填写表.xlsx"
    rows = [[cell.value for cell in row[:3]] for row in sheet_of(made).iter_rows(min_row=4) if row[0].value]
    assert len(rows) >= 30 - 2
    assert len({number for number, _, _ in rows}) == len(rows)
    assert {reason for _, _, reason in rows} == {rows[0][2]}
    assert "合同期满终止" in rows[0][2]


def test_a_kind_without_a_file_has_none(person, now):
    with pytest.raises(NotFound):
        templates.template_of(person("weinan.handler"), "enrol", now)
