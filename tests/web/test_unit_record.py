"""What the counter's page of a unit shows beside its kinds: its funds by month, and what it was before."""

from dataclasses import replace

import pytest

from app.services import audits, declarations, materials
from app.services.forms import setting_of
from app.store.employers import FundRow, change_funds
from app.store.models import Employer
from app.store.session import transaction
from tests.documents.samples import picture
from tests.fixtures.database import TEST_NOW
from tests.services.conftest import rows, task_of
from tests.web.agency import Agency

KIND, UNIT = "employer_correction", "32080000001"
LEGAL_ID = "110101199003070134"


@pytest.fixture
def agency(app):
    return Agency(app)


@pytest.fixture
def corrected(app, agency):
    """The unit under a new name, its legal person by document: the reference and the former name."""
    clerk = agency.actor("huaian.counter")
    auditor = agency.actor("huaian.auditor")
    with app.app_context():
        (unit,) = rows(Employer, employer_no=UNIT)
        actor, former = replace(clerk, employer_id=unit.id), unit.name
        form = setting_of(actor, KIND, TEST_NOW).defaults(TEST_NOW) | {
            "employer_name": "淮安更名有限公司", "legal_id_type": "01", "legal_id_number": LEGAL_ID,
            "correction_reason": "核对营业执照原件，单位依法变更",
        }  # fmt: skip
        made = declarations.file(actor, KIND, form, TEST_NOW).reference
        materials.upload(actor, made, "unit_change_proof", "a.jpg", picture(), TEST_NOW)
        declarations.proceed(actor, made, "next", TEST_NOW)
        audits.decide(auditor, task_of(made), "approve", "", [], TEST_NOW)
    return made, former


def test_the_counter_sees_what_a_unit_was(agency, corrected):
    reference, former = corrected
    page = agency.browser("huaian.counter").get(f"/counter/units/{UNIT}").text
    assert f'data-correction="{reference}"' in page
    assert former in page
    assert "淮安更名有限公司" in page
    assert "1101*****0134" in page
    assert LEGAL_ID not in page


def test_both_sides_read_old_and_new(agency, corrected):
    reference, former = corrected
    for who in ("huaian.counter", "huaian.auditor", "huaian.handler"):
        page = agency.browser(who).get(f"/cases/{reference}").text
        assert former in page, who
        assert "淮安更名有限公司" in page, who
        # the employer reads its own data in full
        assert (LEGAL_ID in page) == (who == "huaian.handler"), who


def test_the_hall_shows_the_new_name(agency, corrected):
    _, former = corrected
    for place in ("/hall", "/units", "/declare/employer_update"):
        page = agency.browser("huaian.admin").get(place).text
        assert "淮安更名有限公司" in page, place
        assert former not in page, place


def test_funds_stand_there_with_their_months(app, agency):
    with app.app_context(), transaction():
        (unit,) = rows(Employer, employer_no=UNIT)
        change_funds([FundRow(unit.id, "320", "2026-12")])
    page = agency.browser("huaian.counter").get(f"/counter/units/{UNIT}").text
    assert "公务员医疗补助" in page
    assert "2026-12" in page
