"""Row ids rise, fit 63 bits and differ between processes; references are readable."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from app.store import ids


def test_ids_rise_and_fit():
    made = [ids.new_id() for _ in range(50_000)]
    assert made == sorted(set(made))
    assert 0 < made[0] < made[-1] < 2**63


def test_ids_of_threads_differ():
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: [ids.new_id() for _ in range(2_000)], range(8)))
    everything = [each for made in lists for each in made]
    assert len(set(everything)) == len(everything)


def test_a_forked_process_makes_other_ids():
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, b"".join(ids.new_id().to_bytes(8, "big") for _ in range(500)))
        os._exit(0)
    own = {ids.new_id() for _ in range(500)}
    os.wait()
    data = os.read(read, 4000)
    os.close(read)
    os.close(write)
    others = {int.from_bytes(data[place : place + 8], "big") for place in range(0, len(data), 8)}
    assert len(others) == 500
    assert not own & others


def test_references_can_be_read_out():
    made = {ids.new_reference(date(2026, 11, 8)) for _ in range(2_000)}
    assert len(made) == 2_000
    assert all(re.fullmatch(r"261108-[0-9A-HJKMNP-TV-Z]{10}", each) for each in made)
