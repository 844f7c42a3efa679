"""Which kind exists where and how, stated once as a table and held against all that is published.

P pending stage, A number of audits, W may be recalled while it waits, M materials, B a batch file, B* one
that is filled with the roster, only B where nothing else is taken; C at the counter only; "" nothing online.
"""

from __future__ import annotations

import json
from datetime import date

import pytest

from app.config import ROOT
from app.engine.decisions import DecisionTable, describe_decision
from tests.domain.regions import REGIONS, document, load_region

NANTONG, HUAIAN, LIANYUNGANG, SUZHOU, NANJING, WEINAN = COLUMNS = (
    "320600", "320800", "320700", "320500", "320100", "610500",
)  # fmt: skip
DAY = date(2026, 11, 20)

# The platform's two regions share a column.
TABLE = {
    #                        Nantong     platform   Suzhou      Nanjing     Weinan
    "enrol":                ("P A1 B",   "A1 W B",  "A0 B",     "A0 B",     "P A1 M"),
    "stop":                 ("P A1 B*",  "A1 W B",  "A0 B",     "A0 B",     "P A1 M B"),
    "stop_retiree":         ("C",        "C",       "C",        "C",        "P A1 M B"),
    "revert":               ("",         "",        "",         "A0",       ""),
    "retirement":           ("C",        "C",       "C",        "A2 M",     "C"),
    "withdrawal":           ("C",        "C",       "C",        "A2 M",     "C"),
    "collection":           ("C",        "A1 W M",  "C",        "C",        "C"),
    "collection_cancel":    ("",         "C",       "A0",       "C",        ""),
    "base":                 ("P A1 B*",  "A1 W",    "",         "",         ""),
    "base_annual":          ("",         "A1 B*",   "A0 B*",    "A0 B*",    "A1 M B"),
    "person_record":        ("C",        "C",       "C",        "A0 B",     "C"),
    "person_update":        ("P A1",     "A1 W",    "A0",       "A0",       "C"),
    "employer_update":      ("P A1",     "A1 W",    "A0",       "A0",       "A1 M"),
    "employer_registration": ("C",       "A0",      "A0",       "A0",       "A0"),
    "employer_link":        ("",         "",        "",         "",         "A0"),
    "maternity_bank":       ("P A1 M",   "",        "",         "A1 M",     ""),
    "nursing_allowance":    ("P A1 M",   "",        "",         "A1 M",     ""),
}  # fmt: skip
# What the counter must be able to do everywhere: the agency's own kinds.
AT_THE_COUNTER = (
    "identity_correction", "death_undo", "employer_opening", "employer_closing", "base_carry",
    "employer_correction", "employer_funds", "account_correction",
)  # fmt: skip
# Where the yearly declaration does not exist, nobody is left over by it.
WITHOUT = {("base_carry", NANTONG)}

CITIZENS = ["01"]
# Values that the table's cells and the corrections to it name.
VALUES = {
    NANTONG: {
        "open_declaration.scope": "object",
        "enrol.start_after_last_paid": "yes",
        "enrol.person_must_exist": "yes",
        "stop.months": "this",
        "stop.default_reason": "10",
        "base.policy": "refuse",
        "base.whole_yuan": "yes",
        "backpay.mode": "after_approval",
        "batch.all_or_nothing": "no",
        "enrol.other_region": "warn",
    },
    HUAIAN: {
        "enrol.bank_account_required": "yes",
        "stop.months": "free",
        "base.policy": "clip",
        "collection.base_declared": "yes",
        "collection.months_without_material": "6",
        "batch.max_megabytes": "10",
        "batch.funds_per_file": "yes",
        "backpay.mode": "none",
        "enrol.other_region": "warn",
        "base_year.first_month_of_year": "7",
    },
    SUZHOU: {
        "window.used": "yes",
        "window.opens_day": "11",
        "window.closes_day": "6",
        "window.settlement_from_day": "7",
        "enrol.max_months_ahead": "1",
        "backpay.mode": "automatic",
        "backpay.max_months": "6",
        "backpay.this_month_from_day": "7",
        "stop.months": "this_or_last",
        "base.policy": "clip",
        "batch.max_megabytes": "10",
        "batch.retention_hours": "24",
        "batch.one_date_per_file": "yes",
        "batch.funds_per_file": "yes",
        "enrol.age_gate": "refuse",
        "enrol.other_region": "refuse",
    },
    NANJING: {
        "enrol.id_types": CITIZENS,
        "enrol.person_must_exist": "yes",
        "backpay.mode": "automatic",
        "backpay.max_months": "6",
        "batch.max_rows": "500",
        "batch.retention_hours": "720",
        "stop.age_reasons": ["6308"],
        "material.max_files.withdrawal": "1",
        "material.picture_kinds": ["withdrawal"],
        "enrol.other_region": "refuse",
    },
    WEINAN: {
        "batch.all_or_nothing": "yes",
        "base.policy": "refuse",
        "base_annual.times_a_year": "1",
        "base_annual.after_changes": "yes",
        "stop.months": "free",
        "stop.retirement_reasons": ["04"],
        "enrol.other_region": "warn",
    },
}
VALUES[LIANYUNGANG] = VALUES[HUAIAN]

# (kind, region, reason): every document of it, whether it is needed or only may be added.
MATERIALS = {
    ("enrol", WEINAN, ""): {"identity_card": True, "labour_contract": True},
    ("stop", WEINAN, "01"): {"identity_card": True, "transfer_order": True},
    ("stop", WEINAN, "04"): {"identity_card": True, "retirement_approval": True},
    ("stop", WEINAN, "99"): {"identity_card": True, "contract_end": False},
    ("stop_retiree", WEINAN, "01"): {"identity_card": True, "death_certificate": True},
    ("stop_retiree", WEINAN, "99"): {"identity_card": True},
    ("retirement", NANJING, "1"): {"pension_assessment": True},
    ("withdrawal", NANJING, "6401"): {"withdrawal_picture": True},
    ("collection", HUAIAN, ""): {},
    ("collection", HUAIAN, "over_6_months"): {"labour_contract": True},
    ("collection", LIANYUNGANG, "over_6_months"): {"labour_contract": True},
    ("base_annual", WEINAN, ""): {"payroll": True},
    ("employer_update", WEINAN, ""): {"business_licence": True},
    ("maternity_bank", NANTONG, ""): {"account_proof": True},
    ("maternity_bank", NANJING, ""): {"account_proof": True},
    ("nursing_allowance", NANTONG, ""): {"marriage_certificate": True, "birth_certificate": True},
    ("nursing_allowance", NANJING, ""): {"marriage_certificate": True, "birth_certificate": True},
}

STOP_REASONS = {
    NANJING: {"0990", "6300", "6301", "6308", "6311", "6399", "740311"},
}

# Fields that an employer may change; the rest of the form is shown only.
CHANGEABLE = {
    ("person_update", NANTONG): {
        "internal_no", "home_postcode", "home_address", "office_phone", "phone", "home_phone",
    },
    ("employer_update", NANTONG): {
        "address", "postcode", "contact_name", "contact_phone", "contact_mobile",
    },
    ("person_update", HUAIAN): {
        "education", "political_status", "marriage", "health", "admin_post", "school", "technical_grade",
        "qualification_grade", "household_no", "household_type", "household_region", "household_address",
        "household_postcode", "home_region", "home_address", "home_postcode", "phone", "email", "bank_name",
        "bank_account_name", "bank_account",
    },
    ("employer_update", HUAIAN): {
        "legal_phone", "contact_name", "contact_email", "address", "contact_phone", "postcode", "bank_name",
        "bank_account_name", "bank_account",
    },
    ("person_update", SUZHOU): {
        "home_address", "home_postcode", "phone", "email", "bank_name", "bank_account_name", "bank_account",
    },
    ("employer_update", SUZHOU): {
        "legal_phone", "contact_name", "contact_email", "address", "contact_phone", "postcode", "bank_name",
        "bank_account_name", "bank_account",
    },
    ("person_update", NANJING): {"home_address", "home_postcode", "phone", "email"},
    ("employer_update", NANJING): {
        "legal_phone", "contact_name", "contact_email", "address", "contact_phone", "postcode",
    },
}  # fmt: skip


def table(name: str) -> DecisionTable:
    path = ROOT / "bpmn" / "decisions" / f"{name}.dmn"
    return DecisionTable(describe_decision(path.read_bytes(), path.name))


def form(kind: str, region: str) -> dict:
    own = ROOT / "forms" / f"{kind}.{region}.json"
    path = own if own.exists() else ROOT / "forms" / f"{kind}.json"
    return json.loads(path.read_text("utf-8"))


def cell(kind: str, region: str) -> str:
    """What the table says of a kind in a region."""
    place = {HUAIAN: 1, LIANYUNGANG: 1, SUZHOU: 2, NANJING: 3, WEINAN: 4}.get(region, 0)
    return TABLE[kind][place]


def in_file(value: object) -> object:
    """A value as the parameter files spell it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return list(value) if isinstance(value, tuple) else str(value)


def published(kind: str, region: str) -> str:
    """What the published files say of the same, in the table's marks."""
    rules = load_region(region)
    if not rules.offers(kind):
        return "C" if rules.offers(kind, "counter") else ""
    answer = table("policy").decide({"channel": "03", "kind": kind, "region": region})
    marks = ["P"] if answer["pending"] else []
    marks.append(f"A{answer['audits']}")
    marks += [mark for mark, name in (("W", "recall"), ("M", "materials")) if answer[name]]
    batch = form(kind, region).get("x-batch")
    if batch is not None:
        marks.append("B*" if batch.get("prefill") == "roster" else "B")
    return " ".join(marks)


@pytest.mark.parametrize("region", COLUMNS)
@pytest.mark.parametrize("kind", sorted(TABLE))
def test_a_cell(kind: str, region: str) -> None:
    found = published(kind, region)
    if cell(kind, region) == "":
        assert found in ("", "C")
    else:
        assert found == cell(kind, region)


def test_the_table_names_every_region() -> None:
    assert sorted(COLUMNS) == REGIONS


@pytest.mark.parametrize("region", COLUMNS)
def test_the_counter_has_the_agencys_own_kinds(region: str) -> None:
    rules = load_region(region)
    for kind in AT_THE_COUNTER:
        if (kind, region) not in WITHOUT:
            assert rules.offers(kind, "counter"), kind
            assert not rules.offers(kind), kind
    for kind in ("person_merge", "employer_transfer", "person_type_change"):
        assert rules.offers(kind, "counter"), kind


@pytest.mark.parametrize("region", COLUMNS)
def test_what_the_counter_files_somebody_else_decides(region: str) -> None:
    policy = table("policy")
    for kind in document(region)["kinds"]:
        answer = policy.decide({"channel": "02", "kind": kind, "region": region})
        assert answer["audits"] >= 1, kind
        assert not answer["pending"], kind


@pytest.mark.parametrize("region", COLUMNS)
def test_values(region: str) -> None:
    rules = load_region(region)
    for name, value in VALUES[region].items():
        assert in_file(rules.dated(name, DAY).value) == value, name


@pytest.mark.parametrize(("kind", "region", "reason"), sorted(MATERIALS))
def test_materials(kind: str, region: str, reason: str) -> None:
    found = table("materials").decide({"kind": kind, "region": region, "reason": reason})
    asked = dict(zip(found["material_items"], found["material_required"], strict=True))
    assert asked == MATERIALS[kind, region, reason]


def test_whoever_is_told_to_bring_materials_is_asked_for_some() -> None:
    asked = {(kind, region) for kind, region, _ in MATERIALS}
    for kind in TABLE:
        for region in COLUMNS:
            assert ("M" in cell(kind, region).split()) == ((kind, region) in asked), (kind, region)


@pytest.mark.parametrize(("kind", "region"), sorted(CHANGEABLE))
def test_what_may_be_changed(kind: str, region: str) -> None:
    properties = form(kind, region)["properties"]
    assert {name for name in properties if f"old_{name}" in properties} == CHANGEABLE[kind, region]


@pytest.mark.parametrize("region", sorted(STOP_REASONS))
def test_reasons_of_a_stop(region: str) -> None:
    found = {code for code, _ in document(region)["codes"]["stop_reason"]}
    assert found == STOP_REASONS[region]


def test_a_death_is_no_stop_in_nanjing() -> None:
    # it goes through the payout of the account, which asks for a payee
    words = dict(document(NANJING)["codes"]["stop_reason"]).values()
    assert not any("死亡" in word for word in words)
    asked = form("withdrawal", NANJING)["required"]
    assert {"bank_account_name", "bank_name", "bank_account", "payee_relation"} <= set(asked)
    assert "sender_phone" not in form("retirement", NANJING)["required"]


def test_the_bundles_of_nanjing() -> None:
    bundles: dict[str, list[str]] = {}
    for fund in load_region(NANJING).funds:
        bundles.setdefault(fund.bundle, []).append(fund.code)
    assert bundles == {
        "医疗(生育)保险": ["310", "510"],
        "大病救助医疗保险": ["330"],
        "失能险": ["410"],
        "公务员医疗补助": ["320"],
    }


def test_one_batch_of_suzhou_has_one_date_and_one_set_of_funds() -> None:
    assert set(form("enrol", SUZHOU)["x-batch"]["settings"]) == {"start_date", "funds"}
    assert form("enrol", HUAIAN)["x-batch"]["settings"] == ["funds"]


def test_only_the_wage_is_filled_in_where_the_file_brings_the_roster() -> None:
    for kind, region in (("base", NANTONG), ("base_annual", HUAIAN), ("base_annual", SUZHOU)):
        batch = form(kind, region)["x-batch"]
        assert set(batch["columns"]) - set(batch["locked"]) == {"wage_yuan"}, (kind, region)


def test_weinan_declares_bases_by_file_and_retirees_apart() -> None:
    batch = form("base_annual", WEINAN)["x-batch"]
    assert set(batch["settings"]) == {"staff_group", "declared_month"}
    entries = [entry for group in document(WEINAN)["menu"] for entry in group.get("entries", ())]
    assert "base_annual.batch" in entries
    assert "base_annual" not in entries


@pytest.mark.parametrize("region", COLUMNS)
def test_defaults_of_ours_are_marked(region: str) -> None:
    """A value that no source states says so: nobody takes an example for a rule."""
    for name in VALUES[region]:
        source = load_region(region).dated(name, DAY).source
        assert source, name
