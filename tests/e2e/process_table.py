"""One case per process that has no journey of its own: who files what, who decides, what the page says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.clock import to_utc
from app.extensions import db
from app.services import accounts, audits, declarations
from app.services.actors import Actor
from app.services.demo.identities import credit_code
from app.store.models import Employer, User
from app.store.personal_accounts import CORRECTION, add_entries, entry_values
from app.store.session import transaction
from tests.fixtures.database import TEST_NOW
from tests.services.conftest import citizen, huaian_form, suzhou_form, task_of
from tests.services.endings.people import employee as cleared
from tests.services.endings.people import withdrawal_form
from tests.services.test_employer_status import empty
from tests.services.test_stop import employee, stop_form

CITIES = {
    "nanjing": "320100", "suzhou": "320500", "nantong": "320600", "huaian": "320800", "weinan": "610500",
}  # fmt: skip
ONE = ("auditor",)


class Scene:
    """A city before the journey: its people, and what was filed and decided earlier."""

    def __init__(self, city: str) -> None:
        self.city, self.region = city, CITIES[city]
        self.handler = self.actor("handler")

    def actor(self, role: str) -> Actor:
        user = db.session.query(User).filter_by(username=f"{self.city}.{role}").one()
        account = accounts.load_account(user.id, to_utc(TEST_NOW))
        assert account is not None
        return account.actor

    def unit(self, place: int) -> int:
        """The city's n-th employer."""
        return db.session.query(Employer).filter_by(employer_no=f"{self.region}{place:05d}").one().id

    def at(self, place: int) -> Actor:
        """The handler, for the city's n-th employer."""
        return replace(self.handler, employer_id=self.unit(place))

    def done(self, kind: str, form: Mapping[str, Any], role: str = "handler") -> None:
        """Have something filed, and approved where that is asked for."""
        made = declarations.file(self.actor(role), kind, form, TEST_NOW, employer_id=self.handler.employer_id)
        if made.status == "submitted":
            audits.decide(self.actor("auditor"), task_of(made.reference), "approve", "", [], TEST_NOW)


@dataclass(frozen=True, slots=True)
class Journey:
    """One kind in one city. `unit` is the place of the employer whom the counter files for, 0 for the hall;
    `says` are words on the case's page in the end."""

    city: str
    kind: str
    values: Callable[[Scene], dict[str, str]]
    says: str
    audits: tuple[str, ...] = ()
    unit: int = 0


def _revert(scene: Scene) -> dict[str, str]:
    found = employee(scene.handler)
    scene.done("stop", stop_form(found, scene.region))
    return {"revert_type": "stop", "id_number": found.id_number}


def _transfer(scene: Scene) -> dict[str, str]:
    people = [employee(scene.handler, place) for place in (2, 3)]
    return {
        "target_employer_no": f"{scene.region}00002", "transfer_month": "2026-11",
        "transfer_reason": "740311", "people": "\n".join(each.id_number for each in people),
    }  # fmt: skip


def _record(scene: Scene) -> dict[str, str]:
    found = citizen(scene.region, "unknown")
    return {
        "id_number": found.id_number, "name": found.name, "ethnicity": "01", "phone": "13900000000",
    }  # fmt: skip


def _cancelled(scene: Scene) -> dict[str, str]:
    found = citizen(scene.region, "not_insured")
    scene.done("enrol", suzhou_form(found, "2026-09-01"))
    return {"id_number": found.id_number}


def _alive(scene: Scene) -> dict[str, str]:
    found = cleared(scene.handler, 4)
    scene.done("withdrawal", withdrawal_form(found), "counter")
    return {"id_number": found.id_number, "undo_reason": "医院误报，本人持身份证到场核验"}


def _closed(scene: Scene) -> dict[str, str]:
    empty(scene.unit(3))
    return {"closing_month": "2026-11", "closing_reason": "01"}


def _collected(scene: Scene) -> dict[str, str]:
    found = citizen(scene.region, "not_insured")
    scene.done("enrol", huaian_form(found, "2026-08-01"))
    months = {"id_number": found.id_number, "from_month": "2026-08", "to_month": "2026-10"}
    scene.done("base", {**months, "id_type": "01", "wage_yuan": "8000"})
    return months


def _contact(scene: Scene) -> dict[str, str]:
    return {
        "id_number": employee(scene.handler).id_number, "phone": "13911112222", "bank_name": "示例银行",
        "bank_account_name": employee(scene.handler).name, "bank_account": "6222000011112222",
    }  # fmt: skip


def _out_by(scene: Scene) -> dict[str, str]:
    """An account that is negative by what nobody booked."""
    found = cleared(scene.handler, 6)
    with transaction():
        add_entries(
            [
                entry_values(
                    region=scene.region, person_id=found.person_id, entry=CORRECTION, amount_fen=-5000,
                    declaration_id=None, created_at_utc=to_utc(TEST_NOW),
                )
            ]
        )  # fmt: skip
    return {
        "id_number": found.id_number, "correction_direction": "increase", "correction_yuan": "50.00",
        "voucher": "支付单 2026-0001", "correction_reason": "核对流水，重复划出一笔",
    }  # fmt: skip


JOURNEYS = (
    Journey("nanjing", "person_record", _record, "人员基础信息采集成功"),
    Journey("nanjing", "revert", _revert, "回退成功，该人员的参保信息已恢复到办理之前"),
    Journey("nanjing", "employer_transfer", _transfer, "2人自2026-12起转入", ONE),
    Journey("suzhou", "collection_cancel", _cancelled, "补收核定撤销成功"),
    Journey(
        "suzhou", "person_merge",
        lambda scene: {"id_number": citizen(scene.region, "double_record").id_number}, "合并成功", ONE,
    ),
    Journey("suzhou", "death_undo", _alive, "死亡登记已撤销", ("auditor", "senior"), unit=1),
    Journey("suzhou", "employer_pausing", lambda scene: {"pausing_action": "pause"}, "暂停", ONE, unit=2),
    Journey(
        "suzhou", "person_type_change",
        lambda scene: {
            "id_number": employee(scene.at(3)).id_number, "person_type": "1102", "from_month": "2026-11",
        },
        "自2026-11起按新的身份参保", ONE, unit=3,
    ),
    Journey("suzhou", "employer_closing", _closed, "单位已终止参保", ONE, unit=3),
    Journey(
        "nantong", "base",
        lambda scene: {
            "id_number": employee(scene.handler).id_number, "from_month": "2026-11", "wage_yuan": "8000",
        },
        "缴费基数已更新", ONE,
    ),
    Journey(
        "nantong", "identity_correction",
        lambda scene: {
            "id_number": citizen(scene.region, "not_insured").id_number, "new_name": "更正后",
            "correction_reason": "登记时录入有误，已核对身份证原件",
        },
        "更正成功，共更正1项", ONE, unit=1,
    ),
    Journey(
        "nanjing", "account_correction", _out_by, "更正前余额-50.00元，更正后余额0.00元",
        ("auditor", "senior"), unit=1,
    ),
    Journey(
        "huaian", "employer_correction",
        lambda scene: {
            "employer_name": "淮安更名科技有限公司",
            "employer_credit_code": credit_code(scene.region, "91", 77),
            "legal_person": "赵新", "correction_reason": "核对营业执照原件，单位依法变更登记",
        },
        "更正成功，共更正3项", ONE, unit=2,
    ),
    Journey(
        "huaian", "employer_funds",
        lambda scene: {
            "fund_action": "add", "fund_code": "320", "change_month": "2026-11",
            "change_reason": "单位申请参加公务员医疗补助",
        },
        "单位自2026-11起参加公务员医疗补助", ONE, unit=1,
    ),
    Journey("huaian", "person_update", _contact, "修改成功", ONE),
    Journey("huaian", "collection", _collected, "补收核定成功，共补收3个月。", ONE),
    Journey("huaian", "base_carry", lambda scene: {}, "结转成功", ONE, unit=1),
    Journey(
        "weinan", "employer_update",
        lambda scene: {"contact_name": "新联系人", "contact_phone": "13911112222"}, "修改成功", ONE,
    ),
    Journey(
        "weinan", "stop_retiree",
        lambda scene: {
            "id_number": employee(scene.handler, person_type="1201").id_number,
            "stop_month": "2026-11", "stop_reason": "02",
        },
        "停保已生效", ONE,
    ),
)  # fmt: skip
