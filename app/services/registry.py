"""What the registry says about the people and employers of one action, or of a whole chunk of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from app.domain.declaration import ALLOWANCES
from app.domain.enrolment import RETIREE_TYPES, EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.identity import FEMALE
from app.errors import NotFound
from app.store import declarations as declaration_store
from app.store.bases import BaseRow, base_history
from app.store.business import hold_people, open_cases, open_of_employer
from app.store.enrolments import charged_months
from app.store.facts import (
    EmployerRecord,
    PersonRecord,
    StretchRecord,
    employer_records,
    person_records,
)
from app.store.ledger import LineRow, standing_lines
from app.store.personal_accounts import account_balance
from app.store.session import in_transaction

# of whom it was asked: people and employers, and what was found
OpenCases = tuple[set[bytes], set[int], list[tuple[bytes | None, int, str]]]


@dataclass
class Registry:
    """Reads once what was not read yet: the statements are the same for one declaration and for 500."""

    employers: dict[int, EmployerRecord] = field(default_factory=dict)
    people: dict[bytes, list[PersonRecord]] = field(default_factory=dict)
    charged: dict[bytes, dict[str, frozenset[str]]] = field(default_factory=dict)
    open_keys: dict[str, str | None] = field(default_factory=dict)
    standing: dict[tuple[str, str], dict[int, list[LineRow]]] = field(default_factory=dict)
    bases: dict[int, list[BaseRow]] = field(default_factory=dict)
    balances: dict[int, int] = field(default_factory=dict)
    open_of_employers: dict[tuple[int, tuple[str, ...]], list[str]] = field(default_factory=dict)
    allowances: dict[str, OpenCases] = field(default_factory=dict)

    def read_employers(self, employer_ids: Iterable[int]) -> None:
        """Read employers with their funds: one statement at most."""
        missing = [each for each in set(employer_ids) if each not in self.employers]
        self.employers.update(employer_records(missing))

    def read_people(self, id_hashes: Iterable[bytes]) -> None:
        """Read people, their enrolments and their charged months: two statements at most."""
        missing = [each for each in set(id_hashes) if each not in self.people]
        if not missing:
            return
        found = person_records(missing)
        owners: dict[int, list[bytes]] = {}
        for key, records in found.items():
            for record in records:
                owners.setdefault(record.id, []).append(key)
        by_person = charged_months(list(owners)) if owners else {}
        for key in missing:
            self.people[key] = found.get(key, [])
            self.charged[key] = {}
        for person_id, months in by_person.items():
            for key in owners[person_id]:
                target = self.charged[key]
                for month, funds in months.items():
                    target[month] = target.get(month, frozenset()) | funds

    def read_open(self, keys: Iterable[str]) -> None:
        """Read which objects have an open declaration: one statement at most."""
        missing = [each for each in set(keys) if each not in self.open_keys]
        if missing:
            held = declaration_store.find_open(missing)
            self.open_keys.update({key: held.get(key) for key in missing})

    def forget_people(self) -> None:
        """Drop what was read of people, to read it again under the lock of a transaction."""
        self.people.clear()
        self.charged.clear()
        self.open_keys.clear()
        self.open_of_employers.clear()
        self.standing.clear()
        self.bases.clear()
        self.balances.clear()
        self.allowances.clear()

    def is_unchanged(self, own: Collection[str]) -> bool:
        """Whether the database, held for writing now, still says what was read before it was held.

        `own` are the references of cases that were made since and are not written yet. A statement or two for
        each thing that was read, however many people it is about.
        """
        if self.balances:
            return False
        fresh = Registry()
        fresh.read_employers(self.employers)
        fresh.read_people(self.people)
        fresh.read_open(self.open_keys)
        for employer_id, kinds in self.open_of_employers:
            fresh.waiting(employer_id, kinds)
        for region, (hashes, employers, _) in self.allowances.items():
            found = open_cases(hashes, employers, region, ALLOWANCES)
            fresh.allowances[region] = hashes, employers, found
        for after_month, billed_from in self.standing:
            ids = set(self.standing[after_month, billed_from])
            # from here on nobody charges them, or posts their payment, until this action is over
            hold_people(ids)
            lines = standing_lines(ids, after_month, billed_from)
            fresh.standing[after_month, billed_from] = {each: lines.get(each, []) for each in ids}
        if self.bases:
            history = base_history(set(self.bases))
            fresh.bases = {each: history.get(each, []) for each in self.bases}
        held = {key: None if reference in own else reference for key, reference in self.open_keys.items()}
        return replace(self, open_keys=held) == fresh

    def employer(self, employer_id: int) -> EmployerRecord:
        """One employer. Raises: NotFound."""
        self.read_employers([employer_id])
        if employer_id not in self.employers:
            raise NotFound("employer")
        return self.employers[employer_id]

    def records(self, id_hash: bytes, region: str) -> list[PersonRecord]:
        """The records of a number in one region; two and more wait for a merge."""
        self.read_people([id_hash])
        return [record for record in self.people[id_hash] if record.region == region]

    def lines_beyond(self, person_id: int, after_month: str, billed_from: str) -> list[LineRow]:
        """A person's standing lines of later accrual months, or billed since a month.

        Reads those of everybody read so far: one statement for each pair of months.
        """
        key = (after_month, billed_from)
        if person_id not in self.standing.get(key, {}):
            ids = {record.id for records in self.people.values() for record in records} | {person_id}
            if in_transaction():
                # nobody charges them, or posts their payment, while this action decides what to take back
                hold_people(ids)
            found = standing_lines(ids, after_month, billed_from)
            self.standing[key] = {each: found.get(each, []) for each in ids}
        return self.standing[key][person_id]

    def base_history(self, enrolment_ids: Iterable[int]) -> dict[int, list[BaseRow]]:
        """The wages declared for enrolments; reads those of everybody read so far: one statement at most."""
        wanted = list(enrolment_ids)
        if any(each not in self.bases for each in wanted):
            known = (record for records in self.people.values() for record in records)
            ids = {each.id for record in known for each in record.stretches} | set(wanted)
            found = base_history(ids)
            self.bases = {each: found.get(each, []) for each in ids}
        return {each: self.bases[each] for each in wanted}

    def balance(self, person_id: int) -> int:
        """The balance of a person's account in fen."""
        if person_id not in self.balances:
            self.balances[person_id] = account_balance(person_id)
        return self.balances[person_id]

    def open_allowances(self, id_hash: bytes | None, employer_id: int, region: str) -> list[str]:
        """The allowances whose cases about a person are open, and for a woman those about the employer.

        Reads those of everybody and every employer read so far: one statement at most.
        """
        if id_hash is None:
            return []
        known = self.allowances.get(region)
        if known is None or id_hash not in known[0] or employer_id not in known[1]:
            hashes, employers = {*self.people, id_hash}, {*self.employers, employer_id}
            known = hashes, employers, open_cases(hashes, employers, region, ALLOWANCES)
            self.allowances[region] = known
        woman = self.person_facts(id_hash, region).sex == FEMALE
        found = [
            kind
            for person, employer, kind in known[2]
            if person == id_hash or (woman and person is None and employer == employer_id)
        ]
        return list(dict.fromkeys(found))

    def waiting(self, employer_id: int, kinds: tuple[str, ...]) -> list[str]:
        """The references of an employer's declarations of these kinds that are filed and not decided."""
        key = (employer_id, kinds)
        if key not in self.open_of_employers:
            self.open_of_employers[key] = open_of_employer(employer_id, kinds)
        return self.open_of_employers[key]

    def person_facts(self, id_hash: bytes | None, region: str) -> PersonFacts:
        """What the rules ask about a number, seen from one region."""
        if id_hash is None:
            return PersonFacts()
        own = self.records(id_hash, region)
        first = own[0] if own else None
        stretches = [each for record in self.people[id_hash] for each in record.stretches]
        own_types = [each.person_type for record in own for each in record.stretches if _goes_on(each)]
        charged = self.charged[id_hash]
        last_paid: dict[str, str] = {}
        for month, funds in charged.items():
            for fund in funds:
                last_paid[fund] = max(month, last_paid.get(fund, ""))
        return PersonFacts(
            matches=len(own),
            name=first.name if first else "",
            birth_date=first.birth_date if first else None,
            sex=first.sex if first else "",
            # a retiree stays one, whatever else the record is insured as
            person_type=min(own_types, key=lambda kind: not kind.startswith(RETIREE_TYPES), default=""),
            enrolments=tuple(
                EnrolmentFacts(
                    category=each.category,
                    region=each.region,
                    start_month=each.from_month,
                    end_month=each.to_month,
                    employer_no=each.employer_no,
                    status=each.status,
                    funds=(each.fund,),
                )
                for each in stretches
            ),
            last_paid_month=last_paid,
            charged_months=frozenset(charged),
            died_on=first.died_on if first else None,
        )

    def employer_facts(self, employer_id: int) -> EmployerFacts:
        """What the rules ask about an employer."""
        record = self.employer(employer_id)
        return EmployerFacts(
            employer_no=record.employer_no,
            region=record.region,
            status=record.status,
            funds={fund: months[-1] for fund, months in record.funds.items()},
            earlier_funds={fund: months[:-1] for fund, months in record.funds.items() if months[1:]},
        )


def _goes_on(stretch: StretchRecord) -> bool:
    return stretch.to_month is None and stretch.status == "active"
