"""Which fields of a person or an employer really change, and what a form proposes (NT-2.7, JS-3.5)."""

import pytest

from app.domain.record_update import changed_fields, refreshed


@pytest.mark.parametrize(
    ("old", "new", "shown", "changed"),
    [
        ("a", "b", (), ("a", "b")),
        ("", "b", (), ("", "b")),
        ("a", "a", ("x",), None),
        # empty: only where the old value stood beside it
        ("a", "", (), None),
        ("a", "", ("x",), ("a", "")),
        ("", "", ("x",), None),
        (None, None, ("x",), None),
    ],
)
def test_nt_2_7_old_and_new(old, new, shown, changed):
    found = changed_fields(["x"], {"x": old}, {"x": new}, shown)
    assert found == ({} if changed is None else {"x": changed})


@pytest.mark.parametrize(
    ("typed", "shown", "known", "proposed"),
    [
        ("", "", "of today", "of today"),
        ("typed", "", "of today", "typed"),
        # the proposal of somebody else goes with that person
        ("of another", "of another", "of today", "of today"),
        ("of another", "of another", "", ""),
        ("", "of another", "of today", "of today"),
        ("typed", "of another", "of today", "typed"),
    ],
)
def test_js_3_5_what_a_typed_number_proposes(typed, shown, known, proposed):
    assert refreshed(["x"], {"x": typed}, {"x": shown}, {"x": known}) == {"x": proposed}
