"""Putting the demonstration into an empty installation, region by region."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from app import clock
from app.config import Config
from app.definitions import current, seeds
from app.domain.billing import notice_prefix
from app.domain.calendar import month_of
from app.errors import Forbidden
from app.services.demo.accounts import platform_accounts, region_accounts
from app.services.demo.cases import CASES, SPARE, citizens_of
from app.services.demo.identities import IdentitySource
from app.services.demo.registry import EMPLOYERS, RegionMaker
from app.services.demo.units import OPEN_UNITS, open_unit_rows
from app.services.passwords import hash_password
from app.store.accounts import add_users
from app.store.assessments import add_finished
from app.store.demo import counts, existing_employers, existing_people, refresh_statistics
from app.store.employers import add_employers
from app.store.enrolments import add_enrolments
from app.store.ledger import add_lines
from app.store.payment_notices import add_notices, take_serial
from app.store.people import add_people
from app.store.session import transaction

PEOPLE = (2000, 200, 20)
MONTHS = 3


@dataclass
class DemoReport:
    """What a load did: the regions filled now and those that were there, and the rows there are."""

    loaded: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    seconds: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report as outside readers get it."""
        return asdict(self)


def load(config: Config, now: datetime, people: Sequence[int] = PEOPLE, months: int = MONTHS) -> DemoReport:
    """Fill every region that has no demonstration yet, each in one transaction; a second run changes nothing.

    Shape: `people` are the sizes of a region's employers, `months` how many months were charged for all.
    Raises: Forbidden where the installation is no demonstration.
    """
    if not config.demo:
        raise Forbidden("this installation is no demonstration: WANGTING_DEMO=1 marks one")
    began = time.perf_counter()
    if not current.regions():
        seeds.sync(now=now)
    report = DemoReport()
    password_hash = hash_password(config.demo_password)
    regions = [code for code, _name in current.regions()]
    for region in regions:
        done = _load_region(region, now, people, months, password_hash)
        (report.loaded if done else report.present).append(region)
    for region, neighbour in zip(regions, [*regions[1:], *regions[:1]], strict=True):
        if region != neighbour:
            _insure_elsewhere(region, neighbour, now)
    for region in regions:
        _open_units(region)
    with transaction():
        add_users(*platform_accounts(password_hash, clock.to_utc(now)))
        if report.loaded:
            refresh_statistics()
    report.rows = counts()
    report.seconds = round(time.perf_counter() - began, 1)
    return report


def _load_region(region: str, now: datetime, people: Sequence[int], months: int, password_hash: str) -> bool:
    numbers = [f"{region}{place + 1:05d}" for place in range(len(EMPLOYERS))]
    if existing_employers(numbers):
        return False
    params = current.parameters(region)
    maker = RegionMaker(params, now, months)
    rows = maker.make(people, spare=max(SPARE, people[0] // 4))
    with transaction():
        add_employers(rows.employers, rows.funds)
        add_people(rows.people)
        add_enrolments(rows.enrolments)
        add_lines(rows.lines)
        add_finished(maker.assessed(), clock.to_utc(now))
        add_notices(rows.notices)
        for prefix, count in Counter(notice_prefix(region, each.due_month) for each in rows.notices).items():
            take_serial(prefix, count)
        slug = params.slug or region
        add_users(*region_accounts(slug, region, maker.employer_ids, password_hash, clock.to_utc(now)))
    return True


def _open_units(region: str) -> None:
    """Units without people and without an account, for whoever tries the registration out."""
    numbers = [f"{region}{place:05d}" for place in OPEN_UNITS]
    known = existing_employers(numbers)
    rows, funds = open_unit_rows(
        current.parameters(region), [each for each in OPEN_UNITS if f"{region}{each:05d}" not in known]
    )
    if rows:
        with transaction():
            add_employers(rows, funds)


def _insure_elsewhere(region: str, neighbour: str, now: datetime) -> None:
    # Needs the neighbour's employers, so it comes after all regions; its own numbers make it happen once.
    params = current.parameters(region)
    case = next(each for each in CASES if any(stretch.elsewhere for stretch in each.stretches))
    people = [
        citizen
        for found, citizen in citizens_of(params, month_of(now), IdentitySource(region, known=True), spare=0)
        if found is case
    ]
    numbers = [f"{neighbour}{region}{place:02d}" for place in range(len(people))]
    if existing_people(numbers):
        return
    maker = RegionMaker(current.parameters(neighbour), now, months=0)
    employers = existing_employers([f"{neighbour}{place + 1:05d}" for place in range(len(EMPLOYERS))])
    maker.employer_ids = [employers[number] for number in sorted(employers)]
    rows = maker.rows
    for citizen, number in zip(people, numbers, strict=True):
        row = maker.person_row(citizen, {}, number)
        rows.people.append(row)
        maker.add_stretch(row["id"], case.stretches[0])
    with transaction():
        add_people(rows.people)
        add_enrolments(rows.enrolments)
        add_lines(rows.lines)
