"""Materials for each person of a batch file, and one submission for all of them (WN-2.3)."""

import pytest
from sqlalchemy import select, update

from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.extensions import db
from app.services import (
    batch_checklist,
    batch_documents,
    batch_results,
    batch_run,
    batch_steps,
    batch_submission,
    declarations,
    imports,
    incidents,
    material_work,
    runs,
)
from app.services.batch_checklist import COMPLETE, MISSING, PAST
from app.services.batch_sheets import NO_ITEM, SEVERAL, UNKNOWN, Choice
from app.services.service_tasks import SERVICES
from app.store.files import file_store
from app.store.models import (
    BatchFile,
    Declaration,
    Enrolment,
    Event,
    Incident,
    Material,
    Notice,
    Outbox,
    Person,
)
from app.store.session import TransactionError, in_transaction, transaction
from tests.documents.samples import HOSTILE, picture
from tests.services.batch_files import filled
from tests.services.conftest import rows
from tests.services.test_imports import run  # noqa: F401 - a fixture
from tests.services.test_stop import WEINAN, employee, handlers  # noqa: F401
from tests.services.test_stop_batches import cells_of

MONTH = "202611"
ENDED = "02-解除或终止劳动合同"


@pytest.fixture
def handler(handlers):  # noqa: F811
    return handlers[WEINAN]


@pytest.fixture
def people(handler):
    return [employee(handler, place) for place in range(4)]


@pytest.fixture
def batch(handler, people, run):  # noqa: F811
    """Four people of an accepted file; the last one needs a transfer order too."""
    reasons = [ENDED, ENDED, ENDED, transfer_reason()]
    cells = [
        cells_of(each, stop_month=MONTH, stop_reason=why) for each, why in zip(people, reasons, strict=True)
    ]
    made = run(handler, "stop", filled(handler, "stop", cells))
    assert made.accepted_rows == 4, made.message
    return made


def transfer_reason():
    from app.definitions.current import parameters

    return f"01-{parameters(WEINAN).codes('stop_reason').label('01')}"


def number(text):
    """A picture of its own, so that no two files are the same."""
    return picture(text=text)


def take(handler, batch, now, *names, **more):
    return batch_documents.take_files(
        handler, batch.id, [(name, number(name)) for name in names], now, **more
    )


def states(handler, batch, now, **more):
    held = batch_checklist.checklist(handler, batch.id, now, **more)
    return [(line.member.person.row_number, line.state) for line in held.lines]


def work(now):
    for row in rows(Outbox):
        if row.topic == "material":
            material_work.prepare(row.id, now)


class TestChecklist:
    def test_everybody_is_listed_with_the_items_and_their_state(self, handler, batch, now):
        held = batch_checklist.checklist(handler, batch.id, now)
        assert held.counts == {MISSING: 4, COMPLETE: 0, PAST: 0}
        assert [[item.need.code for item in line.items] for line in held.lines] == [
            ["identity_card", "contract_end"], ["identity_card", "contract_end"],
            ["identity_card", "contract_end"], ["identity_card", "transfer_order"],
        ]  # fmt: skip

    def test_what_is_missing_stands_first(self, handler, batch, people, now):
        take(handler, batch, now, f"{people[0].id_number}身份证.jpg")
        assert states(handler, batch, now) == [(5, MISSING), (6, MISSING), (7, MISSING), (4, COMPLETE)]
        assert states(handler, batch, now, state=COMPLETE) == [(4, COMPLETE)]
        assert states(handler, batch, now, search=people[0].id_number[-4:]) == [(4, COMPLETE)]

    def test_pages_run_through_the_states_and_back(self, handler, batch, people, now, monkeypatch):
        take(handler, batch, now, f"{people[0].id_number}身份证.jpg")
        monkeypatch.setattr(batch_checklist, "PAGE_PEOPLE", 3)
        first = batch_checklist.checklist(handler, batch.id, now)
        assert [line.member.person.row_number for line in first.lines] == [5, 6, 7]
        assert (first.page.previous, first.found) == (None, 4)
        second = batch_checklist.checklist(handler, batch.id, now, after=first.page.next)
        assert [line.member.person.row_number for line in second.lines] == [4]
        assert second.page.next is None
        back = batch_checklist.checklist(handler, batch.id, now, before=second.page.previous)
        assert [line.member.person.row_number for line in back.lines] == [5, 6, 7]
        assert (back.page.previous, back.page.next) == (None, first.page.next)

    def test_search_by_name_or_number(self, handler, batch, people, now):
        found = people[2]
        for text in (found.id_number, found.id_number[-4:], found.name, found.name[:2]):
            assert (6, MISSING) in states(handler, batch, now, search=text), text
        assert states(handler, batch, now, search="没有这个人") == []
        assert states(handler, batch, now, search="%") == []
        assert states(handler, batch, now, search=found.id_number, state=COMPLETE) == []

    def test_counting_stops(self, handler, batch, now, monkeypatch):
        monkeypatch.setattr(batch_checklist, "MOST_COUNTED", 2)
        held = batch_checklist.checklist(handler, batch.id, now)
        assert (held.counts[MISSING], held.found, held.waiting) == (2, 2, 2)
        assert batch_checklist.count_waiting(handler, batch.id) == 4

    def test_statements_of_the_page_do_not_grow_with_people(self, handler, batch, now, statement_counter):
        with statement_counter() as counted:
            batch_checklist.checklist(handler, batch.id, now)
        assert counted.total < 15

    def test_nobody_elses_batch(self, batch, nantong, now):
        with pytest.raises(NotFound):
            batch_checklist.checklist(nantong, batch.id, now)
        with pytest.raises(NotFound):
            batch_documents.take_files(nantong, batch.id, [("a.jpg", picture())], now)


class TestMatching:
    def test_files_find_their_people_by_number_and_by_name(self, handler, batch, people, now):
        answers = take(
            handler,
            batch,
            now,
            f"{people[0].id_number}.jpg",
            f"{people[1].id_number} 身份证.jpg",
            "扫描0001.jpg",
        )
        assert [each.outcome for each in answers] == ["held", "taken", "held"]
        (row,) = rows(Material)
        case = db.session.get(Declaration, row.declaration_id)
        assert (case.person_name, row.item, row.state) == (people[1].name, "identity_card", "received")
        held = {row.file_name: row for row in rows(BatchFile)}
        first = held[f"{people[0].id_number}.jpg"]
        assert (first.reason, len(first.candidates)) == (NO_ITEM, 1)
        assert held["扫描0001.jpg"].reason == UNKNOWN

    def test_the_item_may_be_said_for_all_files(self, handler, batch, people, now):
        answers = take(
            handler, batch, now, *(f"{each.id_number}.jpg" for each in people), item="identity_card"
        )
        assert {each.outcome for each in answers} == {"taken"}
        assert {row.item for row in rows(Material)} == {"identity_card"}
        assert [state for _, state in states(handler, batch, now)] == [MISSING, COMPLETE, COMPLETE, COMPLETE]

    def test_two_of_one_name_are_asked(self, handler, batch, people, now):
        rename(batch, people[1], people[0])
        (answer,) = take(handler, batch, now, f"{people[0].name}身份证.jpg")
        assert answer.outcome == "held"
        (row,) = rows(BatchFile)
        assert (row.reason, row.item, len(row.candidates)) == (SEVERAL, "identity_card", 2)
        file_id, second = row.id, row.candidates[1]
        found = batch_checklist.checklist(handler, batch.id, now).files[0]
        assert [each.person.row_number for each in found.choices] == [4, 5]
        (answer,) = batch_documents.assign(handler, batch.id, [Choice(file_id, str(second), "")], now)
        assert (answer.outcome, answer.item) == ("taken", "身份证复印件")
        assert rows(BatchFile) == []
        assert [each.declaration_id for each in rows(Material)] == [second]

    def test_hostile_files_are_refused_and_leave_nothing(self, handler, batch, people, now):
        files = [(f"{people[0].id_number}身份证.pdf", content) for content, _ in HOSTILE.values()]
        answers = batch_documents.take_files(handler, batch.id, files[:6], now)
        assert {each.outcome for each in answers} == {"refused"}
        assert all(each.message for each in answers)
        assert rows(Material) == [] == rows(BatchFile)

    def test_the_same_file_twice_and_too_many_at_once(self, handler, batch, people, now):
        name = f"{people[0].id_number}身份证.jpg"
        once = (name, picture())
        first, second = batch_documents.take_files(handler, batch.id, [once, once], now)
        assert (first.outcome, second.outcome) == ("taken", "refused")
        (again,) = batch_documents.take_files(handler, batch.id, [once], now)
        assert "已经上传过相同的文件" in again.message
        with pytest.raises(Rejected):
            batch_documents.take_files(handler, batch.id, [once] * 51, now)
        with pytest.raises(Rejected):
            batch_documents.take_files(handler, batch.id, [], now)

    def test_an_item_that_the_person_does_not_need(self, handler, batch, people, now):
        (answer,) = take(handler, batch, now, f"{people[0].id_number}调令.jpg")
        assert (answer.outcome, answer.message) == ("refused", f"{people[0].name}不需要提交调令")

    def test_many_files_cost_the_statements_of_one(self, handler, batch, people, now, statement_counter):
        costs = []
        for some in (people[:1], people[1:]):
            names = [f"{each.id_number}身份证.jpg" for each in some]
            with statement_counter() as counted:
                take(handler, batch, now, *names)
            costs.append(counted.total)
        assert costs[0] == costs[1]
        assert len(rows(Event, action="material_added")) == 4


class TestAssigning:
    def test_by_what_is_typed(self, handler, batch, people, now):
        take(handler, batch, now, "a.jpg", "b.jpg", "c.jpg", "d.jpg", item="identity_card")
        files = rows(BatchFile)
        typed = [people[0].id_number, "第5行", f"{people[2].name}（6105*****0000）", "没有这个人"]
        choices = [Choice(file.id, who, "") for file, who in zip(files, typed, strict=True)]
        answers = batch_documents.assign(handler, batch.id, choices, now)
        assert [each.outcome for each in answers] == ["taken", "taken", "taken", "refused"]
        assert "没有“没有这个人”" in answers[-1].message
        assert [row.id for row in rows(BatchFile)] == [files[3].id]

    def test_removed_with_its_bytes(self, handler, batch, now):
        take(handler, batch, now, "a.jpg")
        (row,) = rows(BatchFile)
        file_id, key = row.id, row.file_key
        assert file_store().exists(key)
        batch_documents.drop_file(handler, batch.id, file_id)
        assert not file_store().exists(key)
        with pytest.raises(NotFound):
            batch_documents.drop_file(handler, batch.id, file_id)

    def test_one_document_for_everybody_is_kept_and_prepared_once(self, handler, batch, now):
        (answer,) = take(handler, batch, now, "合同.pdf", item="identity_card", everybody=True)
        assert len(answer.people) == 4
        assert len([row for row in rows(Outbox) if row.topic == "material"]) == 1
        found = rows(Material)
        assert len({row.file_key for row in found}) == 1
        # the one that the job names is taken away before it runs
        from app.services import materials

        first = db.session.get(Declaration, found[0].declaration_id)
        materials.remove(handler, first.reference, found[0].id, now)
        work(now)
        db.session.rollback()
        assert {row.state for row in rows(Material)} == {"ready"}
        other = db.session.get(Declaration, found[1].declaration_id)
        opened = materials.open_file(handler, other.reference, found[1].id, "thumbnail")
        assert opened.content[:2] == b"\xff\xd8"


class TestSubmission:
    def test_wn_2_3_refused_while_anything_is_missing(self, handler, batch, people, now):
        take(handler, batch, now, f"{people[0].id_number}身份证.jpg", "谁.jpg")
        with pytest.raises(Rejected) as refused:
            batch_steps.check_ready(handler, batch.id)
        words = [error.message for error in refused.value.errors]
        assert words[0] == f"第5行 {people[1].name}：缺少身份证复印件"
        assert words[2] == f"第7行 {people[3].name}：缺少身份证复印件、调令"
        assert words[3] == "还有1个文件没有指定人员，请指定或删除"
        with pytest.raises(Rejected):
            batch_steps.run_slice("submit", handler, batch.id, 0, now)
        assert {row.status for row in rows(Declaration, batch_id=batch.id)} == {"draft"}

    def test_wn_2_3_one_submission_hands_everybody_over(self, handler, batch, people, now):
        provide(handler, batch, people, now)
        part = batch_steps.run_slice("submit", handler, batch.id, 0, now)
        assert (part.done, list(part.failures), part.finished) == (4, [], True)
        cases = rows(Declaration, batch_id=batch.id)
        assert {row.status for row in cases} == {"submitted"}
        assert {row.submitted_by_id for row in cases} == {handler.id}
        assert states(handler, batch, now) == [(4, PAST), (5, PAST), (6, PAST), (7, PAST)]
        with pytest.raises(Conflict):
            take(handler, batch, now, f"{people[0].id_number}身份证2.jpg")

    def test_slice_by_slice(self, handler, batch, people, now, monkeypatch):
        provide(handler, batch, people, now)
        monkeypatch.setattr(batch_steps, "CHUNK", 3)
        first = batch_steps.run_slice("submit", handler, batch.id, 0, now, seconds=0)
        assert (first.done, first.finished) == (3, False)
        second = batch_steps.run_slice("submit", handler, batch.id, first.after_id, now, seconds=0)
        assert (second.done, second.finished) == (1, True)

    def test_statements_do_not_grow_with_people(
        self, handler, batch, people, now, statement_counter, monkeypatch
    ):
        provide(handler, batch, people, now)
        with statement_counter() as counted:
            batch_steps.run_slice("submit", handler, batch.id, 0, now)
        assert counted.commits == 1
        assert counted.total < 45

    def test_a_case_on_its_own_way_is_taken_along(self, handler, batch, people, now):
        provide(handler, batch, people, now)
        first = rows(Declaration, batch_id=batch.id)[0]
        declarations.proceed(handler, first.reference, "next", now)
        assert batch_steps.run_slice("submit", handler, batch.id, 0, now).done == 4

    def test_discarded_as_a_whole(self, handler, batch, people, now):
        take(handler, batch, now, f"{people[0].id_number}身份证.jpg", "谁.jpg")
        with pytest.raises(Conflict, match="还有4人"):
            imports.remove(handler, batch.id)
        part = batch_steps.run_slice("discard", handler, batch.id, 0, now)
        assert (part.done, part.finished) == (4, True)
        assert {row.status for row in rows(Declaration, batch_id=batch.id)} == {"discarded"}
        assert rows(BatchFile) == []
        imports.remove(handler, batch.id)

    def test_who_may_not_file_does_neither(self, batch, person, now):
        reader = person("weinan.reviewer")
        with pytest.raises(Forbidden):
            batch_documents.take_files(reader, batch.id, [("a.jpg", picture())], now)

    def test_a_batch_that_waits_for_materials_is_not_forgotten(self, handler, batch, now):
        from datetime import timedelta

        later = now + timedelta(days=400)
        assert imports.purge(later) == 0
        batch_steps.run_slice("discard", handler, batch.id, 0, now)
        assert imports.purge(later) == 1


class TestSubmissionAsAWhole:
    """Weinan takes a file as a whole (PRACTICE 2.5): its submission hands everybody over, or nobody."""

    def statuses(self, batch):
        return sorted(row.status for row in rows(Declaration, batch_id=batch.id))

    def test_wn_2_3_everybody_at_once(self, handler, batch, people, now, statement_counter):
        provide(handler, batch, people, now)
        assert batch_submission.is_whole(batch, now)
        made = batch_submission.start(handler, batch.id, now)
        assert (made.state, made.total, made.done) == ("finished", 4, 4)
        assert self.statuses(batch) == ["submitted"] * 4
        with pytest.raises(Conflict):
            batch_submission.start(handler, batch.id, now)

    def test_one_who_is_refused_keeps_everybody(self, handler, batch, people, now, monkeypatch):
        provide(handler, batch, people, now)
        db.session.rollback()
        (order,) = rows(Material, item="transfer_order")
        with transaction():
            db.session.execute(update(Material).where(Material.id == order.id).values(state="removed"))
        # as if the document had been taken away after the page was asked for
        monkeypatch.setattr(batch_steps, "check_ready", lambda _actor, _id: batch)
        monkeypatch.setattr(batch_submission, "CHUNK", 2)
        made = batch_submission.start(handler, batch.id, now)
        assert (made.state, made.refused) == ("failed", 1)
        assert made.message == "有1人不能提交，本批没有提交；请按原因处理后重新提交"
        assert self.statuses(batch) == ["draft"] * 4
        _made, (row,) = batch_submission.progress(handler, batch.id, made.id, "", 10)
        assert row.message == f"第7行 {people[3].name}：请上传调令"
        assert states(handler, batch, now)[0] == (7, MISSING)

    def test_what_changed_meanwhile_is_judged_again(self, handler, batch, people, now, monkeypatch):
        provide(handler, batch, people, now)
        real, first = batch_submission._judge, rows(Declaration, batch_id=batch.id)[0]
        judged = []

        def slow(*given):
            judged.append(real(*given))
            if len(judged) == 1:
                db.session.rollback()
                declarations.discard(handler, [first.reference], now)
            return judged[-1]

        monkeypatch.setattr(batch_submission, "_judge", slow)
        made = batch_submission.start(handler, batch.id, now)
        assert (made.state, made.total, len(judged)) == ("finished", 3, 2)
        assert self.statuses(batch) == ["discarded", "submitted", "submitted", "submitted"]

    @pytest.mark.parametrize("missing", [False, True])
    def test_judged_under_the_lock_where_a_diagram_holds_rows(
        self, handler, batch, people, now, monkeypatch, missing
    ):
        if not missing:
            provide(handler, batch, people, now)
        real = batch_submission._judge

        def holding(*given):
            if not in_transaction():
                raise TransactionError("a lock needs a transaction")
            return real(*given)

        monkeypatch.setattr(batch_steps, "check_ready", lambda _actor, _id: batch)
        monkeypatch.setattr(batch_submission, "_judge", holding)
        made = batch_submission.start(handler, batch.id, now)
        assert (made.state, made.refused) == (("failed", 4) if missing else ("finished", 0))
        assert self.statuses(batch) == [("draft" if missing else "submitted")] * 4

    def test_what_always_changes_is_said(self, handler, batch, people, now, monkeypatch):
        provide(handler, batch, people, now)
        monkeypatch.setattr(batch_submission, "_is_unchanged", lambda *_given: False)
        made = batch_submission.start(handler, batch.id, now)
        assert made.state == "failed"
        assert "请核对后重新提交" in made.message
        assert self.statuses(batch) == ["draft"] * 4

    def test_many_are_a_run_that_may_die(self, handler, batch, people, now, monkeypatch):
        provide(handler, batch, people, now)
        enqueued = []
        monkeypatch.setattr(runs, "enqueue", lambda *given: enqueued.append(given))
        monkeypatch.setattr(batch_submission, "AT_ONCE", 3)
        made = batch_submission.start(handler, batch.id, now)
        assert (made.state, enqueued) == ("queued", [(made.id, "submit")])
        assert batch_submission.under_way(batch.id).id == made.id
        real = batch_submission.write

        def killed(cases):
            real(cases)
            raise KeyboardInterrupt

        monkeypatch.setattr(batch_submission, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            batch_submission.run(made.id, now)
        assert self.statuses(batch) == ["draft"] * 4
        monkeypatch.setattr(batch_submission, "write", real)
        monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
        assert runs.sweep() == 1
        batch_submission.run(made.id, now)
        batch_submission.run(made.id, now)
        assert runs.get_run(handler, made.id).state == "finished"
        assert self.statuses(batch) == ["submitted"] * 4
        assert batch_submission.under_way(batch.id) is None

    def test_stopped_before_it_is_written(self, handler, batch, people, now, monkeypatch):
        provide(handler, batch, people, now)
        monkeypatch.setattr(runs, "enqueue", lambda *_given: None)
        monkeypatch.setattr(batch_submission, "AT_ONCE", 0)
        made = batch_submission.start(handler, batch.id, now)
        runs.stop(handler, made.id, now)
        batch_submission.run(made.id, now)
        assert self.statuses(batch) == ["draft"] * 4

    def test_nobody_elses(self, handler, batch, people, nantong, person, now):
        provide(handler, batch, people, now)
        made = batch_submission.start(handler, batch.id, now)
        with pytest.raises(NotFound):
            batch_submission.progress(nantong, batch.id, made.id, "", 10)
        with pytest.raises(NotFound):
            runs.stop(nantong, made.id, now)
        with pytest.raises((Forbidden, NotFound)):
            batch_submission.start(person("weinan.reviewer"), batch.id, now)


def test_the_uploader_is_told_once_how_the_file_ended(handler, batch):
    (notice,) = rows(Notice, batch_id=batch.id)
    assert (notice.user_id, notice.employer_id) == (handler.id, batch.employer_id)
    assert notice.title == "批量在职减员：文件处理完毕"
    assert notice.body == "文件“申报.xlsx”：共4条，成功4条，失败0条。请继续上传4人的材料，核对后申报提交。"


def provide(handler, batch, people, now):
    """Everything that is required."""
    names = [f"{each.id_number}身份证.jpg" for each in people]
    answers = take(handler, batch, now, *names, f"{people[3].id_number}调令.jpg")
    assert {each.outcome for each in answers} == {"taken"}, answers


def rename(batch, found, like):
    """Let one person of a batch carry another one's name."""
    wanted = db.session.scalars(select(Person.id_hash).where(Person.id == found.person_id)).one()
    with transaction():
        db.session.execute(
            update(Declaration)
            .where(Declaration.batch_id == batch.id, Declaration.person_hash == wanted)
            .values(person_name=like.name)
        )


class TestWholeFile:
    """A file that is taken as a whole is filed before the database is held, and looked at again under it."""

    def file(self, handler, people):
        return filled(
            handler, "stop", [cells_of(each, stop_month=MONTH, stop_reason=ENDED) for each in people]
        )

    def test_what_changed_meanwhile_is_seen(self, handler, people, run, monkeypatch):  # noqa: F811
        early = batch_run._filed_early

        def then_stopped(plan, checked):
            filed = early(plan, checked)
            with transaction():
                db.session.execute(
                    update(Enrolment)
                    .where(Enrolment.person_id == people[1].person_id)
                    .values(to_month="2026-10", status="stopped")
                )
            return filed

        monkeypatch.setattr(batch_run, "_filed_early", then_stopped)
        batch = run(handler, "stop", self.file(handler, people[:3]))
        assert (batch.state, batch.accepted_rows, batch.rejected_rows) == ("finished", 0, 3)
        codes = [error["code"] for _, error in batch_results.errors_of(batch.id)]
        assert codes.count("import.other_rows_bad") == 2

    def test_filed_once_where_nothing_changed(self, handler, people, run, monkeypatch):  # noqa: F811
        times = []
        usual = batch_run._file
        monkeypatch.setattr(batch_run, "_file", lambda *given: times.append(1) or usual(*given))
        assert run(handler, "stop", self.file(handler, people)).accepted_rows == 4
        assert len(times) == 1


class TestRetry:
    def test_rows_that_failed_are_worked_on_again(self, handlers, person, run, now, monkeypatch):  # noqa: F811
        actor = handlers["320500"]
        found = [employee(actor, place) for place in range(3)]
        more = {"stop_reason": "辞职", "stop_date": "2026/11/30"}
        cells = [cells_of(each, **more) for each in found]
        cells[0]["stop_date"] = "2026/11/15"
        usual = SERVICES["stop.apply"]

        def breaks(context, **given):
            if context.case.declaration.person_name == found[2].name:
                raise RuntimeError("a fault of ours")
            return usual(context, **given)

        monkeypatch.setitem(SERVICES, "stop.apply", breaks)
        batch = run(actor, "stop", filled(actor, "stop", cells))
        assert (batch.accepted_rows, batch.rejected_rows) == (1, 2)
        monkeypatch.setitem(SERVICES, "stop.apply", usual)
        (incident,) = rows(Incident, batch_id=batch.id)
        incidents.retry(person("suzhou.supervisor"), incident.id, now)
        batch_run.run(batch.id)
        again = imports.get_batch(actor, batch.id)
        assert (again.state, again.total_rows, again.done_rows) == ("finished", 3, 3)
        assert (again.accepted_rows, again.rejected_rows) == (2, 1)
        assert [row.status for row in rows(Incident, batch_id=batch.id)] == ["resolved"]
        assert len(rows(Notice, batch_id=batch.id)) == 2
