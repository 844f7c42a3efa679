"""Publishing by hand: checked first, used by new cases only, and never overwritten by a seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from app.definitions import current, seeds
from app.definitions.files import UnknownDefinitionFile
from app.definitions.publish import DefinitionRefused, publish
from app.definitions.versions import list_versions
from app.services.service_tasks import SERVICES
from tests.definitions.conftest import ORDINARY
from tests.fixtures.database import TEST_NOW


def audit(folder: Path, before: str = "超时", after: str = "逾期") -> bytes:
    text = (folder / "bpmn" / "processes" / "audit.bpmn").read_text("utf-8")
    assert before in text
    return text.replace(before, after).encode()


def publish_audit(content: bytes, **more: object) -> object:
    return publish("audit.bpmn", content, now=TEST_NOW, services=SERVICES, **more)


def test_new_cases_use_what_was_published(seeded: Flask, folder: Path) -> None:
    before = current.current_bundle("enrol", ORDINARY)
    done = publish_audit(audit(folder), note="改名")
    assert (done.status, done.origin, done.note) == ("published", "designer", "改名")
    after = current.current_bundle("enrol", ORDINARY)
    assert after.id != before.id
    assert after.diagram("audit") == audit(folder)
    assert current.get_bundle(before.id).diagram("audit") != audit(folder)


def test_publishing_the_same_again_changes_nothing(seeded: Flask, folder: Path) -> None:
    first = publish_audit(audit(folder))
    count = len(list_versions())
    assert publish_audit(audit(folder)) == first
    assert len(list_versions()) == count


def test_a_changed_seed_waits_for_the_designer(seeded: Flask, folder: Path) -> None:
    own, changed = audit(folder), audit(folder, after="超过期限")
    publish_audit(own)
    (folder / "bpmn" / "processes" / "audit.bpmn").write_bytes(changed)
    report = seeds.sync(folder, now=TEST_NOW)
    assert [key.name for key in report.held_back] == ["audit"]
    assert current.published().get("process", "audit", "").content == own
    # Publishing by hand, the seed's text or another, settles it.
    publish_audit(changed)
    assert seeds.sync(folder, now=TEST_NOW).held_back == []
    assert seeds.held_back() == []


def test_as_a_regions_own(seeded: Flask, folder: Path) -> None:
    done = publish_audit(audit(folder), region=ORDINARY)
    assert (done.key.region, done.version) == (ORDINARY, 1)
    others = [code for code, _ in current.regions() if code != ORDINARY]
    assert current.current_bundle("enrol", ORDINARY).diagram("audit") == audit(folder)
    assert current.current_bundle("enrol", others[0]).diagram("audit") != audit(folder)


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("notice.send", "registry.wipe", "service"),
        ("overdue_after", "__import__('os')", "expression"),
        ('default="audited"', "", "gateway"),
        ("audit.json", "nowhere.json", "form"),
    ],
)
def test_what_fails_the_checks_is_refused(
    seeded: Flask, folder: Path, before: str, after: str, code: str
) -> None:
    count = len(list_versions())
    with pytest.raises(DefinitionRefused) as refused:
        publish_audit(audit(folder, before, after))
    assert any(code in problem.code for problem in refused.value.problems), refused.value.problems
    assert {problem.file for problem in refused.value.problems} == {"bpmn/processes/audit.bpmn"}
    assert len(list_versions()) == count


def test_what_breaks_another_file_is_refused(seeded: Flask, folder: Path) -> None:
    form = (folder / "forms" / "shared" / "bank.json").read_bytes().replace(b'"bank_name"', b'"bank_title"')
    with pytest.raises(DefinitionRefused) as refused:
        publish("shared/bank.json", form, now=TEST_NOW, services=SERVICES)
    assert any(problem.file.startswith("forms/enrol") for problem in refused.value.problems)


def test_a_name_that_says_nothing_is_refused(seeded: Flask) -> None:
    with pytest.raises(UnknownDefinitionFile):
        publish("My Process.bpmn", b"", now=TEST_NOW, services=SERVICES)
