"""Merging two records of one person: from a form and the registry to a judgement, and what moves where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_utc
from app.domain import person_merge as rules
from app.domain.calendar import month_of
from app.domain.collection import REFUND
from app.domain.enrolment import COUNTER_CHANNEL
from app.domain.money import format_yuan, from_fen
from app.domain.person_merge import MergeFacts, MergeRequest, RecordFacts
from app.domain.problem import Problem, Verdict
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.stop_effects import change_stretch
from app.services.stopping import amount_back
from app.services.subjects import is_number, with_open_case
from app.store.business import hold_people, open_business
from app.store.crypto import blind
from app.store.facts import StretchRecord, stretches_of
from app.store.ledger import LineRow, Reversal, against, standing_lines
from app.store.merges import MergeRow, RecordRow, find_by_number, records_of
from app.store.personal_accounts import ALLOCATION_PARTIES, account_balance
from app.store.session import in_transaction

MERGE = "person_merge.apply"
MERGED = "merged"
KEPT, OTHER, SHOWN = "kept_person_no", "merged_person_no", "records_found"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("stop.unknown", "person_merge.nothing", "person_merge.other_number",
                 "person_merge.record", "person_merge.same")),
    ("两条信息是否一致", ("person_merge.differs", "person_merge.statement")),
    ("未办结的申报", ("person_merge.open_case", "enrol.one_open")),
    ("参保关系", ("person_merge.ends",)),
    ("重复缴费的月份", ("person_merge.takes_back",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """The two records with what they hold; `ends` are enrolments that cannot go on beside the others."""

    kept: RecordRow
    merged: RecordRow
    ends: Sequence[tuple[StretchRecord, str, str]]
    unpaid: Sequence[LineRow]
    paid: Sequence[LineRow]

    @property
    def taken_back(self) -> list[LineRow]:
        """All charges that are taken back."""
        return [*self.unpaid, *self.paid]


def prepare(case: Case, _today: date) -> None:
    """Find the two records, propose which one stays, and show what they hold.

    Inside a transaction both are held until the commit: whoever charges or enrols one of them waits.
    """
    row, data = case.declaration, case.data
    number = str(data.get("id_number") or "")
    row.person_hash, row.person_id = (blind(number) if number else None), None
    for name in ("name", SHOWN):
        data.pop(name, None)
    if row.person_hash is None:
        return
    records = _records(case)
    if in_transaction() and len(records) > 1:
        hold_people([each.id for each in records])
        records = _records(case)
    _propose(case, records)
    kept = _named(case, records, KEPT)
    shown = kept or (records[0] if records else None)
    if shown is not None:
        data["name"] = row.person_name = shown.name
        row.person_id = shown.id
    named = [each for each in (kept, _named(case, records, OTHER)) if each is not None]
    if len(named) == 2:
        # where somebody is insured and what the account holds is not for every employer to know
        whole = row.channel == COUNTER_CHANNEL
        data[SHOWN] = "；".join(_in_words(each) if whole else f"编号{each.person_no}" for each in named)


def _records(case: Case) -> list[RecordRow]:
    """The records of the typed number, and those that the form names by their person numbers."""
    row = case.declaration
    typed = [str(case.data.get(name) or "") for name in (KEPT, OTHER)]
    ids = find_by_number(row.region, [each for each in typed if each])
    return records_of(row.region, row.person_hash, list(ids.values()))


def _propose(case: Case, records: Sequence[RecordRow]) -> None:
    """Fill in the person numbers that were left out."""
    row, data = case.declaration, case.data
    own = [each for each in records if each.id_hash == row.person_hash]
    if not data.get(KEPT):
        left = [each for each in own if each.person_no != data.get(OTHER)]
        if len(own) > 1 or (data.get(OTHER) and left):
            spans = stretches_of([each.id for each in left])
            data[KEPT] = left[rules.record_to_keep([spans.get(each.id, []) for each in left])].person_no
    if data.get(KEPT) and not data.get(OTHER):
        others = [each for each in own if each.person_no != data[KEPT]]
        if others:
            data[OTHER] = others[0].person_no


def _named(case: Case, records: Iterable[RecordRow], name: str) -> RecordRow | None:
    return next((each for each in records if each.person_no == case.data.get(name)), None)


def _in_words(record: RecordRow) -> str:
    spans = stretches_of([record.id]).get(record.id, [])
    going_on = sorted({each.employer_no for each in spans if rules.goes_on(each) and each.employer_no})
    lines = standing_lines([record.id], "", "0000-00").get(record.id, [])
    months = len({line.accrual_month for line in lines})
    where = f"正常参保单位{'、'.join(going_on)}" if going_on else "没有正常参保的单位"
    balance = format_yuan(from_fen(account_balance(record.id)))
    return f"编号{record.person_no}：{where}，缴费{months}个月，个人账户{balance}元"


def request_of(case: Case) -> MergeRequest:
    """Read a form as a request."""
    data = case.data
    return MergeRequest(
        kept_no=str(data.get(KEPT) or ""),
        merged_no=str(data.get(OTHER) or ""),
        statement=str(data.get("correction_statement") or "").strip(),
        channel=case.declaration.channel,
    )


def judge(case: Case, _today: date) -> Verdict:
    """Judge the merge against the registry as it is now; any other open declaration of either refuses."""
    row = case.declaration
    if row.person_hash is None:
        return Verdict((Problem("stop.unknown", "id_number"),))
    records = _records(case)
    kept, merged = _named(case, records, KEPT), _named(case, records, OTHER)
    hashes = {row.person_hash, *(each.id_hash for each in (kept, merged) if each is not None)}
    open_kinds = [kind for key in sorted(hashes) for kind in open_business(key, row.region, row.reference)]
    facts = MergeFacts(
        with_number=sum(each.id_hash == row.person_hash for each in records),
        number_key=row.person_hash,
        kept=_facts(kept),
        merged=_facts(merged),
        open_kinds=list(dict.fromkeys(open_kinds)),
    )
    verdict = rules.check_merge(case.parameters, request_of(case), facts)
    if verdict.accepted:
        verdict = Verdict((), (*verdict.warnings, *_warnings(pair_of(case))))
    return with_open_case(case, verdict)


def _facts(record: RecordRow | None) -> RecordFacts | None:
    if record is None:
        return None
    return RecordFacts(record.person_no, record.id_hash, record.name, record.birth_date)


def _warnings(pair: Pair) -> list[Problem]:
    found = []
    if pair.ends:
        places = "、".join(sorted({span.employer_no for span, _, _ in pair.ends if span.employer_no}))
        found.append(Problem("person_merge.ends", KEPT, {"employers": places or "-"}))
    if pair.taken_back:
        owed = [line for line in pair.taken_back if line.party not in ALLOCATION_PARTIES]
        figures = {
            "amount": format_yuan(from_fen(sum(line.amount_fen for line in owed))),
            "months": "、".join(sorted({line.accrual_month for line in pair.taken_back})),
        }
        found.append(Problem("person_merge.takes_back", KEPT, figures))
    return found


def pair_of(case: Case) -> Pair:
    """What a merge that the rules accept does. Raises: ValueError where it names no two records."""
    records = _records(case)
    kept, merged = _named(case, records, KEPT), _named(case, records, OTHER)
    if kept is None or merged is None:
        raise ValueError("the check lets no merge pass without two records")
    ids = [kept.id, merged.id]
    spans, lines = stretches_of(ids), standing_lines(ids, "", "0000-00")
    ours, theirs = spans.get(kept.id, []), lines.get(merged.id, [])
    ends = rules.ending_spans(ours, spans.get(merged.id, []))
    back = rules.charged_twice(lines.get(kept.id, []), theirs)
    twice = {line.id for line in back}
    back += [line for line in rules.charged_beyond(ours, ends, theirs) if line.id not in twice]
    return Pair(
        kept=kept,
        merged=merged,
        ends=ends,
        unpaid=[line for line in back if line.received_on is None],
        paid=[line for line in back if line.received_on is not None],
    )


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix which record stays."""
    pair = pair_of(case)
    facts = {"kept_id": pair.kept.id, "merged_id": pair.merged.id}
    case.declaration.facts = {**case.declaration.facts, **facts}
    return {"reason": ""}


def trial_of(case: Case, today: date) -> Amounts | None:
    """What is taken back because it was charged twice; None where the form does not say enough yet."""
    if not is_number(case.data, today):
        return None
    case.declaration.person_hash = blind(str(case.data["id_number"]))
    records = _records(case)
    _propose(case, records)
    if None in (_named(case, records, KEPT), _named(case, records, OTHER)):
        return None
    pair, month = pair_of(case), month_of(today)
    lines = [amount_back(line, line.due_type, month) for line in pair.unpaid]
    lines += [amount_back(line, REFUND, month) for line in pair.paid]
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines})) if lines else None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Give everything to the record that stays; what was charged twice is taken back first."""
    row, pair = case.declaration, pair_of(case)
    for span, last_month, status in pair.ends:
        change_stretch(case, span, MERGED, last_month, status, span.reason or "", now)
    for lines, due_type in ((pair.unpaid, None), (pair.paid, REFUND)):
        for line in lines:
            made = against(
                line, row.region, due_type or line.due_type, month_of(now.date()), row.id, to_utc(now)
            )
            case.lines.append({**made, "person_id": pair.kept.id})
            case.reversals.append(Reversal(line.id, made["id"]))
    case.merges.append(MergeRow(row.id, pair.merged.id, pair.kept.id, to_utc(now)))
    row.person_id = pair.kept.id
    months = sorted({line.accrual_month for line in pair.taken_back})
    done = {"kept": pair.kept.person_no, "merged": pair.merged.person_no, "months": months}
    case.effect_once(MERGE, now, done)
    row.result_code = "person_merge.accepted_with_refund" if months else "person_merge.accepted"
    row.result_message = case.message(
        row.result_code, kept=pair.kept.person_no, merged=pair.merged.person_no, months="、".join(months)
    )
    return {"months": len(months)}


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept, notifies=True)
