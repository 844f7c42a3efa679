import itertools

import pytest

from app.domain.permission import (
    AGENCY_ROLES,
    EMPLOYER_ROLES,
    PERMISSIONS,
    ROLE_WORDS,
    ROLES,
    SYSTEM_ROLES,
    all_permissions,
    four_eyes,
    may,
    may_hold_together,
    permissions_of,
)


def test_every_role_has_words_and_permissions() -> None:
    assert set(ROLES) == set(PERMISSIONS) == set(ROLE_WORDS)
    assert all(PERMISSIONS.values())


def test_only_the_agency_decides_and_only_employers_and_counters_file() -> None:
    assert {role for role in ROLES if may([role], "task.decide")} == {"auditor", "senior", "supervisor"}
    assert {role for role in ROLES if may([role], "declaration.file")} == {"handler", "admin", "counter"}


@pytest.mark.parametrize("role", SYSTEM_ROLES)
def test_those_who_run_the_system_see_no_cases(role: str) -> None:
    assert not any(name.startswith(("declaration.", "person.", "task.")) for name in PERMISSIONS[role])


def test_unknown_roles_and_permissions_open_nothing() -> None:
    assert not may(["emperor"], "task.decide")
    assert not may([], "hall.view")
    assert not any(may([role], "no.such") for role in ROLES)


def test_permissions_add_up() -> None:
    assert permissions_of(["handler", "reviewer"]) == PERMISSIONS["handler"] | PERMISSIONS["reviewer"]
    assert permissions_of([]) == frozenset()
    assert all_permissions() >= PERMISSIONS["auditadmin"]


@pytest.mark.parametrize(
    "pair", [*itertools.combinations(SYSTEM_ROLES, 2), *itertools.product(EMPLOYER_ROLES, AGENCY_ROLES)]
)
def test_nobody_watches_over_himself(pair: tuple[str, str]) -> None:
    assert not may_hold_together(pair)


def test_roles_of_one_side_go_together() -> None:
    assert may_hold_together(["handler", "reviewer", "admin"])
    assert may_hold_together(["auditor", "senior"])


def test_four_eyes() -> None:
    assert four_eyes(3, [1, 2, None])
    assert not four_eyes(2, [1, 2])
