"""Personal data: sealed, found by a keyed hash, and readable over a change of keys."""

import base64
import time

import pytest

from app.store import crypto
from tests.fixtures.server import DATA_KEYS

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()
NUMBER = "11010519491231002X"


@pytest.fixture(autouse=True)
def _keys():
    crypto.configure(OLD)
    yield
    crypto.configure(DATA_KEYS)


def test_round_trip_and_no_two_alike():
    first, second = crypto.encrypt(NUMBER), crypto.encrypt(NUMBER)
    assert first != second
    assert NUMBER.encode() not in first
    assert crypto.decrypt(first) == crypto.decrypt(second) == NUMBER
    assert crypto.decrypt_json(crypto.encrypt_json({"name": "王伟", "funds": ["310"]})) == {
        "name": "王伟",
        "funds": ["310"],
    }


def test_a_new_key_encrypts_and_the_old_one_still_reads():
    sealed, index = crypto.encrypt(NUMBER), crypto.blind(NUMBER)
    crypto.configure(f"{NEW},{OLD}")
    assert crypto.decrypt(sealed) == NUMBER
    assert crypto.needs_rotation(sealed)
    fresh = crypto.rotate(sealed)
    assert not crypto.needs_rotation(fresh)
    assert crypto.rotate(fresh) is fresh
    assert crypto.blind(NUMBER) == index
    crypto.configure(NEW)
    assert crypto.decrypt(fresh) == NUMBER
    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(sealed)


def test_a_pinned_blind_key_survives_the_last_old_key():
    index = crypto.blind(NUMBER)
    pinned = "blind:" + base64.b64encode(b"o" * 32).decode()
    crypto.configure(f"{NEW},{pinned}")
    assert crypto.blind(NUMBER) == index


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:-1] + b"\0",
        lambda _: b"",
        lambda _: b"\x03old",
        lambda sealed: b"\x03new" + sealed[4:],
    ],
)
def test_damage_is_noticed(damage):
    sealed = crypto.encrypt(NUMBER + "\x01")
    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(damage(sealed))


def test_the_index_sees_one_number_in_all_its_spellings():
    index = crypto.blind(NUMBER)
    assert len(index) == 32
    for spelling in (
        NUMBER.lower(),
        f" {NUMBER}\n",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 19491231 002x",
    ):
        assert crypto.blind(spelling) == index
    assert crypto.blind("110105194912310021") != index


def test_ten_thousand_cost_little():
    began = time.process_time()
    for _ in range(10_000):
        crypto.blind(NUMBER)
        crypto.decrypt(crypto.encrypt(NUMBER))
    assert time.process_time() - began < 2.0
