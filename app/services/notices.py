"""Messages to an employer's operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from app.clock import to_utc
from app.services import outbox
from app.services.actors import Actor, require_employer
from app.services.cases import Case
from app.services.sms import send_sms
from app.store import notices as store
from app.store.imports import FINISHED, BatchRow
from app.store.outbox import OutboxRow
from app.store.session import transaction

SENDER_PHONE = "sender_phone"
# template -> (title, body); {reference}, {person}, {opinion}, {month} are filled when the notice is delivered
TEMPLATES: Mapping[str, tuple[str, str]] = {
    "approved": ("申报已审核通过", "{person}的申报（{reference}）已审核通过。"),
    "rejected": ("申报审核未通过", "{person}的申报（{reference}）审核未通过：{opinion}"),
    "returned": ("申报需要补正", "{person}的申报（{reference}）已退回补正：{opinion}"),
    "counter_filed": (
        "柜面已受理申报",
        "经办机构柜面已为本单位受理{person}的申报（{reference}），可在已提交中查看。",
    ),
    "moved_in": (
        "人员已转入本单位",
        "{person}已从原单位转入本单位，自{month}起在本单位参保（申报编号{reference}）。",
    ),
    "overdue": ("申报超过办理时限", "{person}的申报（{reference}）超过办理时限，经办机构正在加紧处理。"),
}
# state of an ended batch file -> title
BATCH_TITLES: Mapping[str, str] = {
    "finished": "{title}：文件处理完毕",
    "failed": "{title}：文件未能处理完",
}
BATCH_BODY = "文件“{file}”：{words}"
BATCH_COUNTS = "共{total}条，成功{accepted}条，失败{rejected}条。"
BATCH_WAITING = "请继续上传{waiting}人的材料，核对后申报提交。"


def tell(case: Case, template: str, now: datetime) -> None:
    """Have the employer's operators told something about a case, by the name of its text.

    Where the form names the phone of whoever sent the papers in, and the region has words for it
    (`<kind>.sms.<template>`), that phone gets a text message. Both leave after the commit.
    """
    row = case.declaration
    case.send_out("notice", {"declaration_id": row.id, "template": template}, now)
    phone = str(case.data.get(SENDER_PHONE) or "")
    words = case.message(f"{row.kind}.sms.{template}", reference=row.reference, result=row.result_message)
    if phone and words:
        send_sms(case, phone, words, now)


def tell_another(case: Case, employer_id: int, template: str, now: datetime) -> None:
    """Have another employer's operators told of a case that concerns it; its page is not theirs to read."""
    payload = {"declaration_id": case.declaration.id, "template": template, "employer_id": employer_id}
    case.send_out("notice", payload, now)


def deliver(outbox_id: int, now: datetime, before: Callable[[], None] | None = None) -> bool:
    """Write the notice that an outbox row asks for; False where that was done before.

    The third failure becomes an incident.
    """

    def act(row: OutboxRow) -> None:
        found = store.find_case_words(int(row.payload["declaration_id"]))
        if found is None:
            return
        title, body = TEMPLATES[str(row.payload["template"])]
        words = {
            "person": found.person_name or found.id_masked or "本单位",
            "reference": found.reference,
            "opinion": found.opinion,
            "month": found.facts.get("start_month", ""),
        }
        another = row.payload.get("employer_id")
        store.add_notice(
            employer_id=another or found.employer_id,
            declaration_id=None if another else found.id,
            outbox_id=row.id,
            title=title,
            body=body.format_map(words),
            now_utc=to_utc(now),
        )

    return outbox.consume(outbox_id, now, act, "notice", before)


def tell_uploader(batch: BatchRow, title: str, words: str, waiting: int, now_utc: datetime) -> None:
    """Tell who uploaded a batch file how it ended, inside the transaction that ends it: so it is told once.

    `title` names the file's business in the region's words, `waiting` counts people whose materials are due.
    """
    if batch.state == FINISHED:
        counts = BATCH_COUNTS.format(
            total=batch.total_rows, accepted=batch.accepted_rows, rejected=batch.rejected_rows
        )
        words = counts + (BATCH_WAITING.format(waiting=waiting) if waiting else "")
    store.add_notice(
        employer_id=batch.employer_id,
        user_id=batch.created_by_id,
        batch_id=batch.id,
        title=BATCH_TITLES[batch.state].format(title=title),
        body=BATCH_BODY.format(file=batch.file_name, words=words),
        now_utc=now_utc,
    )


def mark_read(actor: Actor, now: datetime) -> None:
    """Mark all messages to the actor's employer as read. Raises: NotFound."""
    employer_id = require_employer(actor, None)
    with transaction():
        store.set_read(employer_id, actor.id or 0, to_utc(now))
