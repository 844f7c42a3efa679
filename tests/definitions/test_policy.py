"""The two decision tables against what the regions were found to do."""

from __future__ import annotations

import itertools

import pytest

from app.config import ROOT
from app.domain.declaration import KINDS
from app.engine.decisions import DecisionTable, describe_decision

NANTONG, HUAIAN, LIANYUNGANG, SUZHOU, NANJING, WEINAN = REGIONS = (
    "320600", "320800", "320700", "320500", "320100", "610500",
)  # fmt: skip

# P pending stage, A number of audits, W may be recalled while it waits, M materials; "" is not online.
ONLINE = {
    "enrol": ("P A1", "A1 W", "A1 W", "A0", "A0", "P A1 M"),
    "stop": ("P A1", "A1 W", "A1 W", "A0", "A0", "P A1 M"),
    "stop_retiree": ("", "", "", "", "", "P A1 M"),
    "revert": ("", "", "", "", "A0", ""),
    "retirement": ("", "", "", "", "A2 M", "A1 M"),
    "withdrawal": ("", "", "", "", "A2 M", ""),
    "collection": ("", "A1 W M", "A1 W M", "A0", "A0", ""),
    "collection_cancel": ("", "", "", "A0", "", ""),
    "base": ("P A1", "A1 W", "A1 W", "", "", ""),
    "base_annual": ("", "A1", "A1", "A0", "A0", "A1 M"),
    "person_record": ("", "", "", "", "A0", ""),
    "person_update": ("P A1", "A1 W", "A1 W", "A0", "A0", ""),
    "employer_update": ("P A1", "A1 W", "A1 W", "A0", "A0", "A1 M"),
    "employer_registration": ("", "A0", "A0", "A0", "A0", "A0"),
    "employer_link": ("", "", "", "", "", "A0"),
    "maternity_bank": ("P A1 M", "", "", "", "A1 M", ""),
    "person_merge": ("A1 W",) * 6,
    "employer_transfer": ("A1 W",) * 6,
    "person_type_change": ("A1 W",) * 6,
    "nursing_allowance": ("P A1 M", "", "", "", "A1 M", ""),
}


def load(name: str) -> DecisionTable:
    path = ROOT / "bpmn" / "decisions" / f"{name}.dmn"
    return DecisionTable(describe_decision(path.read_bytes(), path.name))


def words(answer: dict) -> str:
    marks = ["P"] if answer["pending"] else []
    marks.append(f"A{answer['audits']}")
    marks += [mark for mark, name in (("W", "recall"), ("M", "materials")) if answer[name]]
    return " ".join(marks)


@pytest.mark.parametrize("kind", sorted(ONLINE))
def test_online(kind: str) -> None:
    policy = load("policy")
    for region, expected in zip(REGIONS, ONLINE[kind], strict=True):
        answer = policy.decide({"channel": "03", "kind": kind, "region": region})
        assert words(answer) == (expected or "A1"), (kind, region)


def test_exactly_one_rule_answers_everything() -> None:
    policy = load("policy")
    for channel, kind, region in itertools.product(
        ("01", "02", "03"), [*KINDS, "a_new_kind"], [*REGIONS, "999900"]
    ):
        answer = policy.decide({"channel": channel, "kind": kind, "region": region})
        if channel == "02":
            # a death is taken back, and an account booked, by two others; what is on record changes with
            # a document only
            own = {
                "death_undo": "A2", "account_correction": "A2 M",
                "identity_correction": "A1 M", "employer_correction": "A1 M",
            }  # fmt: skip
            assert words(answer) == own.get(kind, "A1")


def test_materials() -> None:
    materials = load("materials")

    def items(kind: str, region: str, reason: str = "") -> list[str]:
        return materials.decide({"kind": kind, "region": region, "reason": reason})["material_items"]

    assert items("enrol", WEINAN) == ["identity_card", "labour_contract"]
    assert items("enrol", SUZHOU) == []
    assert items("stop", WEINAN, "04") == ["identity_card", "retirement_approval"]
    assert items("stop", WEINAN, "01") == ["identity_card", "transfer_order"]
    assert items("stop", WEINAN, "02") == ["identity_card", "contract_end"]
    assert items("retirement", NANJING) == ["pension_assessment"]
    assert items("withdrawal", NANJING) == ["withdrawal_picture"]
    assert items("collection", HUAIAN) == []
    assert items("collection", LIANYUNGANG, "over_6_months") == ["labour_contract"]
