"""Random sequences of acts in one region: acts are plain numbers, so that a failing one can be shortened."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import select

from app.errors import Conflict, NotFound, Rejected
from app.extensions import db
from app.services import assessing, billing, posting, refunding
from app.store.crypto import blind
from app.store.enrolments import add_enrolments, enrolment_values
from app.store.ids import new_id
from app.store.models import Assessment, Employer, EmployerFund, Enrolment, Person
from app.store.payment_orders import list_issued
from app.store.people import id_number
from app.store.session import transaction
from tests.matrix.model import City, plus
from tests.property.checks import agree
from tests.property.model import EVER, Registry, Stretch
from tests.property.office import ENDED, Office
from tests.services.conftest import citizen, huaian_form, nantong_form, suzhou_form
from tests.services.test_revert import enrol_form as nanjing_form
from tests.services.test_stop import stop_form

SUZHOU, NANTONG, NANJING, HUAIAN = "320500", "320600", "320100", "320800"
CITIES = {SUZHOU: "suzhou", NANTONG: "nantong", NANJING: "nanjing", HUAIAN: "huaian"}
START = datetime(2026, 11, 11, 9)
WAGES = ("8000", "12000", "6000", "30000", "9805")
ACTS = (
    "enrol", "enrol", "enrol", "stop", "stop", "stop", "revert", "revert", "base", "base", "collection",
    "collection_cancel", "retirement", "person_type_change", "employer_transfer", "person_merge",
    "withdrawal", "death_undo", "assess", "assess", "post", "post", "refund", "decide", "decide", "drop",
)  # fmt: skip
# what moves money to and fro
MONEY = (
    "enrol", "assess", "assess", "post", "post", "post", "stop", "stop", "stop", "revert",
    "employer_transfer", "person_merge", "refund", "refund", "refund",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One act: how many days later, about whom, where, about which month (from this one), and choices."""

    act: str
    days: int
    who: int
    employer: int
    month: int
    choice: int
    leave: bool
    aimed: bool


def draw(chance: Random, count: int, acts: Sequence[str] = ACTS) -> list[Step]:
    """A sequence of acts."""
    return [
        Step(
            chance.choice(acts),
            chance.choice([0, 0, 0, 1, 3, 12]),
            chance.randrange(6),
            chance.choice([0, 0, 1]),
            chance.choice([-3, -2, -1, -1, 0, 0, 0, 1]),
            chance.randrange(60),
            chance.random() < 0.2,
            chance.random() < 0.75,
        )
        for _ in range(count)
    ]


class World:
    """A region's people and employers, the model of them, and the acts by name."""

    def __init__(self, region: str, person) -> None:
        self.region, self.city = region, City(region)
        self.office = Office(region, CITIES[region], person)
        self.moment = START
        self.employers = {
            row.employer_no: row.id
            for row in db.session.scalars(select(Employer).where(Employer.region == region))
        }
        self.numbers = {number: name for name, number in self.employers.items()}
        self.places = [f"{region}00001", f"{region}00003"]
        funds: dict[str, set[str]] = {name: set() for name in self.employers}
        for row in db.session.scalars(select(EmployerFund)):
            if row.employer_id in self.numbers and row.to_month is None:
                funds[self.numbers[row.employer_id]].add(row.fund)
        self.model = Registry(self.city, funds)
        self.ids: dict[str, int] = {}
        self.people: list[tuple[str, object]] = []
        self.waiting: list[tuple[str, str, str, str, str, dict]] = []
        self.accepted: Counter[str] = Counter()
        self._settle()
        self.office.look()

    def _settle(self) -> None:
        double = citizen(self.region, "double_record")
        first, second = db.session.scalars(
            select(Person)
            .where(Person.id_hash == blind(double.id_number), Person.region == self.region)
            .order_by(Person.id)
        ).all()
        self._insure(first.id, self.places[0], "2026-07")
        self._insure(second.id, self.places[1], "2026-09")
        self.ids |= {"double": first.id, "alias": second.id}
        self.people.append(("double", double))
        for name, number in (("a", 0), ("b", 0), ("c", 1)):
            found = self._staff(self.places[number], "abc".index(name))
            self.ids[name] = found.id
            self.people.append((name, _Named(id_number(found), found.name, found.person_no)))
        for place, name in enumerate("xy"):
            found = citizen(self.region, "not_insured", place)
            row = db.session.scalars(
                select(Person).where(Person.id_hash == blind(found.id_number), Person.region == self.region)
            ).one()
            self.ids[name] = row.id
            self.people.append((name, found))
        self.numbers_of = {
            row.id: row.person_no
            for row in db.session.scalars(select(Person).where(Person.id.in_(self.ids.values())))
        }
        names = {person_id: who for who, person_id in self.ids.items()}
        for row in db.session.scalars(
            select(Enrolment).where(Enrolment.person_id.in_(self.ids.values())).order_by(Enrolment.id)
        ):
            self.model.stretches.append(
                Stretch(
                    names[row.person_id], self.numbers[row.employer_id], row.fund, row.person_type,
                    row.from_month, row.to_month, row.wage_fen or row.base_fen,
                )
            )  # fmt: skip
        for mark in db.session.scalars(select(Assessment).where(Assessment.region == self.region)):
            self.model.assessed.add((self.numbers[mark.employer_id], mark.month))

    def _insure(self, person_id: int, employer: str, first: str) -> None:
        funds = [fund for fund in self.city.usual() if fund in self.model.employer_funds[employer]]
        made = [
            enrolment_values(
                id=new_id(), region=self.region, person_id=person_id, employer_id=self.employers[employer],
                fund=fund, person_type="1101", from_month=first, to_month=None, wage_fen=900000,
                base_fen=900000,
            )
            for fund in funds
        ]  # fmt: skip
        with transaction():
            add_enrolments(made)

    def _staff(self, employer: str, place: int) -> Person:
        working = (
            select(Enrolment.person_id)
            .where(Enrolment.employer_id == self.employers[employer], Enrolment.to_month.is_(None),
                   Enrolment.person_type.startswith("11"), Enrolment.from_month < "2026-09")
        )  # fmt: skip
        chosen = select(Person).where(Person.id.in_(working), Person.id.not_in(self.ids.values()))
        return db.session.scalars(chosen.order_by(Person.id.desc()).offset(place).limit(1)).one()

    def run(self, steps: list[Step]) -> None:
        """Do the acts; after each one the database is what the model says."""
        agree(self.model, self.ids, self.numbers)
        for step in steps:
            self.moment += timedelta(days=step.days, minutes=7)
            who, found = self._chosen(step)
            employer = self._where(who) if step.aimed else ""
            getattr(self, f"_{step.act}")(step, who, found, employer or self.places[step.employer])
            agree(self.model, self.ids, self.numbers)

    def _chosen(self, step: Step) -> tuple[str, object]:
        """Whom an act is about: mostly somebody it can be about, looked for from a chance beginning."""
        order = [self.people[(step.who + place) % len(self.people)] for place in range(len(self.people))]
        if step.act in ("assess", "post", "decide", "drop", "person_merge") or not step.aimed:
            return order[0]
        if step.act == "death_undo":
            return next((each for each in order if each[0] in self.model.dead), order[0])
        wanted = step.act == "enrol"
        return next((each for each in order if (self._where(each[0]) == "") == wanted), order[0])

    def _where(self, who: str) -> str:
        """Where somebody goes on, so that most acts have something to do."""
        who = self.model.gone.get(who, who)
        return next(
            (each.employer for each in self.model.stretches if each.who == who and each.covers(EVER)), ""
        )

    @property
    def month(self) -> str:
        return f"{self.moment:%Y-%m}"

    def _submit(self, kind: str, form: dict, step: Step, who: str, employer: str, facts: dict) -> None:
        reference = self.office.file(kind, form, self.employers[employer], self.moment)
        if reference is None:
            return
        case = (reference, kind, who, employer, self.month, facts)
        if self.office.status(reference) in ENDED:
            self._count(case)
        elif step.leave:
            self.waiting.append(case)
        else:
            self._judge(case, "approve")

    def _judge(self, case, decision: str) -> None:
        reference = case[0]
        self.office.decide(reference, decision, self.moment)
        status = self.office.status(reference)
        if status in ENDED:
            self._count(case)
        elif status == "returned":
            self.office.drop(reference, self.moment)
        elif status in ("submitted", "in_audit"):
            self.waiting.append(case)

    def _count(self, case) -> None:
        _reference, kind, who, employer, since, facts = case
        self.accepted[kind] += 1
        model, facts = self.model, dict(facts)
        who = model.gone.get(who, who)
        if kind == "enrol":
            model.enrol(who, employer, since, **facts)
        elif kind in ("stop", "revert", "death_undo"):
            kind_of = facts.pop("undoes", "")
            if kind_of:
                model.undo(who, since, kind=kind_of)
            else:
                model.stop(who, employer, since, **facts)
        elif kind == "base":
            model.declare(who, employer, since, **facts)
        elif kind == "retirement":
            model.retire(who, employer, since, **facts)
        elif kind == "person_type_change":
            model.change_type(who, employer, since, **facts)
        elif kind == "employer_transfer":
            for each in facts.pop("people"):
                model.transfer(model.gone.get(each, each), employer, since, **facts)
        elif kind == "person_merge":
            model.merge(*facts["kept"], max(since, self.month))
        elif kind == "withdrawal":
            model.die(who, since, **facts)
        elif kind == "collection_cancel":
            self._forget_cancelled(who)

    def _forget_cancelled(self, who: str) -> None:
        # which months it took is the ledger's to say; they are owed again from the next assessment on
        self.model.owed = {key for key in self.model.owed if key[0] != who}
        self.model.done[who].append(("collection_cancel", [], []))

    # The acts.

    def _enrol(self, step: Step, who: str, found, employer: str) -> None:
        start, wage = plus(self.month, step.month), WAGES[step.choice % len(WAGES)]
        has = self.model.employer_funds[employer]
        form = {
            SUZHOU: lambda: suzhou_form(found, f"{start}-01", wage),
            NANTONG: lambda: nantong_form(found, start, wage),
            NANJING: lambda: nanjing_form(found, f"{start}-01", wage_yuan=wage),
            HUAIAN: lambda: huaian_form(found, f"{start}-01", wage_yuan=wage),
        }[self.region]()
        funds = set(form.get("funds") or [fund for fund in self.city.usual() if fund in has])
        facts = {"start": start, "wage": int(wage) * 100, "funds": funds}
        self._submit("enrol", form, step, who, employer, facts)

    def _stop(self, step: Step, who: str, found, employer: str) -> None:
        last = plus(self.month, step.month)
        form = stop_form(found, self.region)
        if self.region == NANTONG:
            last = self.month
        else:
            form["stop_date"] = _month_end(last)
        self._submit("stop", form, step, who, employer, {"last": last})

    def _revert(self, step: Step, who: str, found, employer: str) -> None:
        kind = ("enrol", "stop")[step.choice % 2]
        form = {"revert_type": kind, "id_number": found.id_number}
        self._submit("revert", form, step, who, employer, {"undoes": kind})

    def _base(self, step: Step, who: str, found, employer: str) -> None:
        wage, first = WAGES[step.choice % len(WAGES)], plus(self.month, step.month)
        last = plus(first, step.choice % 3) if step.choice % 4 == 0 else ""
        form = {"id_number": found.id_number, "from_month": first, "wage_yuan": wage}
        form |= {"to_month": last} if last else {}
        form |= {} if self.region == NANTONG else {"id_type": "01"}
        facts = {"first": first, "last": last or EVER, "wage": int(wage) * 100}
        self._submit("base", form, step, who, employer, facts)

    def _collection(self, step: Step, who: str, found, employer: str) -> None:
        last = plus(self.month, min(step.month, 0))
        form = {
            "id_type": "01", "id_number": found.id_number, "to_month": last,
            "from_month": plus(last, -(step.choice % 4)),
        }  # fmt: skip
        self._submit("collection", form, step, who, employer, {})

    def _collection_cancel(self, step: Step, who: str, found, employer: str) -> None:
        form = {"id_type": "01", "id_number": found.id_number}
        self._submit("collection_cancel", form, step, who, employer, {})

    def _retirement(self, step: Step, who: str, found, employer: str) -> None:
        last = plus(self.month, step.month)
        form = {
            "id_number": found.id_number, "retirement_type": "2", "retirement_date": _month_end(last),
            "retirement_wage_yuan": "4321.50", "total_months": "360", "paid_months": "300",
            "deemed_months": "60", "pension_employer_name": "示例单位", "pension_agency": "示例社保中心",
        }  # fmt: skip
        self._submit("retirement", form, step, who, employer, {"last": last, "wage": 432150})

    def _person_type_change(self, step: Step, who: str, found, employer: str) -> None:
        kind, first = ("1102", "1101")[step.choice % 3 == 0], plus(self.month, step.month)
        form = {"id_number": found.id_number, "person_type": kind, "from_month": first}
        facts = {"kind": kind, "first": first}
        self._submit("person_type_change", form, step, who, employer, facts)

    def _employer_transfer(self, step: Step, who: str, found, employer: str) -> None:
        target, last = self.places[employer == self.places[0]], plus(self.month, step.month)
        moved = [(who, found)]
        if step.choice % 2 and self.people[step.choice % 6][0] != who:
            moved.append(self.people[step.choice % 6])
        form = {
            "target_employer_no": target, "transfer_month": last, "transfer_reason": "740311",
            "people": "\n".join(each.id_number for _, each in moved),
        }  # fmt: skip
        facts = {"target": target, "last": last, "people": [name for name, _ in moved]}
        self._submit("employer_transfer", form, step, who, employer, facts)

    def _person_merge(self, step: Step, who: str, found, employer: str) -> None:
        _, double = self.people[0]
        pair = ("double", "alias") if step.choice % 2 else ("alias", "double")
        kept = self.numbers_of[self.ids[pair[0]]]
        form = {"id_number": double.id_number, "kept_person_no": kept}
        self._submit("person_merge", form, step, "double", employer, {"kept": pair})

    def _withdrawal(self, step: Step, who: str, found, employer: str) -> None:
        day = self.moment.date() - timedelta(days=step.choice)
        reason = "6401"
        form = {
            "id_number": found.id_number, "termination_reason": reason, "termination_date": day.isoformat(),
            "bank_account_name": "示例亲属", "payee_relation": "02", "bank_name": "示例银行",
            "bank_account": "6222000011112222",
        }  # fmt: skip
        facts = {"last": f"{day:%Y-%m}", "death": True}
        self._submit("withdrawal", form, step, who, employer, facts)

    def _death_undo(self, step: Step, who: str, found, employer: str) -> None:
        form = {"id_number": found.id_number, "undo_reason": "医院误报，本人到场核验"}
        self._submit("death_undo", form, step, who, employer, {"undoes": "withdrawal"})

    def _assess(self, step: Step, who: str, found, employer: str) -> None:
        month = plus(self.month, max(-1, step.month))
        assessing.assess(month, self.moment, employer_id=self.employers[employer])
        self.model.assess(employer, month)
        self.accepted["assess"] += 1
        self.office.look()

    def _post(self, step: Step, who: str, found, employer: str) -> None:
        notices = billing.notices_named(employer, self.moment)
        db.session.rollback()
        if not notices:
            return
        notice = notices[step.choice % len(notices)]
        amount = 200000 * step.choice if step.choice % 3 == 0 else None
        try:
            posting.post(notice.number, self.moment.date(), self.moment, amount_fen=amount)
            self.accepted["post"] += 1
        except (Rejected, Conflict, NotFound):
            pass
        self.office.look()

    def _refund(self, step: Step, who: str, found, employer: str) -> None:
        """Order what is due back, and have the oldest order paid or made void."""
        try:
            refunding.order(employer, self.moment)
            self.accepted["refund"] += 1
        except Conflict:
            pass
        db.session.rollback()
        for order in list_issued([self.region], 0, 1) if step.choice % 3 else ():
            db.session.rollback()
            if step.choice % 3 == 1 or order.employer_id is None:
                posting.pay_order(order.id, self.moment.date(), self.moment)
            else:
                refunding.cancel(order.id, self.moment)
        self.office.look()

    def _decide(self, step: Step, who: str, found, employer: str) -> None:
        if self.waiting:
            case = self.waiting.pop(step.choice % len(self.waiting))
            self._judge(case, ("approve", "approve", "reject", "return")[step.who % 4])

    def _drop(self, step: Step, who: str, found, employer: str) -> None:
        if self.waiting:
            case = self.waiting.pop(step.choice % len(self.waiting))
            self.office.drop(case[0], self.moment)
            if self.office.status(case[0]) in ("submitted", "in_audit"):
                self.waiting.append(case)


@dataclass(frozen=True)
class _Named:
    id_number: str
    name: str
    person_no: str


def _month_end(month: str) -> str:
    return date(int(month[:4]), int(month[5:]), monthrange(int(month[:4]), int(month[5:]))[1]).isoformat()
