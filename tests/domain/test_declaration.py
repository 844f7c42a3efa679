import itertools

import pytest

from app.domain.declaration import (
    FINAL,
    MOVES,
    OPEN,
    STATUSES,
    MoveRefused,
    check_move,
    is_open,
    kind_object,
    kind_word,
)


def test_every_status_is_open_or_final() -> None:
    assert set(STATUSES) == FINAL | OPEN
    assert not FINAL & OPEN
    assert set(MOVES) == OPEN
    assert [is_open(status) for status in ("draft", "done")] == [True, False]


@pytest.mark.parametrize(("before", "after"), list(itertools.product(sorted(FINAL), sorted(STATUSES))))
def test_nothing_follows_an_end(before: str, after: str) -> None:
    with pytest.raises(MoveRefused):
        check_move(before, after)


@pytest.mark.parametrize(
    "journey",
    [
        ["draft", "done"],
        ["draft", "pending", "submitted", "in_audit", "approved"],
        ["draft", "pending", "discarded"],
        ["draft", "submitted", "recalled"],
        ["draft", "submitted", "in_audit", "returned", "submitted", "in_audit", "rejected"],
        ["submitted", "in_audit", "submitted", "in_audit", "submitted"],
    ],
)
def test_the_journeys_of_all_regions_are_possible(journey: list[str]) -> None:
    for before, after in itertools.pairwise(journey):
        check_move(before, after)


@pytest.mark.parametrize(
    ("before", "after"), [("draft", "approved"), ("submitted", "discarded"), ("pending", "returned")]
)
def test_no_case_jumps(before: str, after: str) -> None:
    with pytest.raises(MoveRefused, match=f"from {before} to {after}"):
        check_move(before, after)


def test_kinds_know_their_words_and_objects() -> None:
    assert kind_word("enrol") == "参保人员增员申报"
    assert (kind_object("enrol"), kind_object("employer_update")) == ("person", "employer")
