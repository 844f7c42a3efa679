"""Synthetic people for the form tests: numbers with right check digits that belong to nobody."""

from __future__ import annotations

from app.domain.identity import identity_check_digit


def identity_number(serial: int, region: str = "320600", born: str = "19900101") -> str:
    first = f"{region}{born}{serial % 1000:03d}"
    return first + identity_check_digit(first)


def number_ending_in_x() -> str:
    return next(number for number in map(identity_number, range(1000)) if number.endswith("X"))


def nantong_rows(count: int) -> list[dict]:
    return [
        {
            "id_number": identity_number(serial),
            "name": f"测试{chr(0x4E00 + serial)}",
            "post": "02",
            "education": "21",
            "start_month": "2026-11",
            "wage_yuan": f"{6000 + serial}.00",
        }
        for serial in range(1, count + 1)
    ]


def jiangsu_rows(count: int) -> list[dict]:
    rows = [
        {
            "id_type": "01",
            "id_number": identity_number(serial, "320800"),
            "name": f"测试{chr(0x4E00 + serial)}",
            "ethnicity": "01",
            "wage_yuan": f"{6000 + serial}.00",
            "start_date": "2026-11-01",
            "phone": f"139{serial:08d}",
            "first_work_date": "2015-07-01",
        }
        for serial in range(1, count + 1)
    ]
    rows[0]["id_number"] = number_ending_in_x()
    return rows
