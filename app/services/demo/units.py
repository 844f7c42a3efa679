"""Units of the demonstration that nobody has registered in the hall yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.parameters import ParameterSet
from app.services.demo.identities import credit_code
from app.store.crypto import encrypt
from app.store.ids import new_id

# the last digits of their numbers; the first one is named on the page where somebody may register it
OPEN_UNITS = (4, 5)
SINCE = "2024-01"


def open_unit_rows(
    params: ParameterSet, places: Sequence[int]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of units and of their funds: the usual ones of the region."""
    region = params.region
    units, funds = [], []
    for place in places:
        unit_id = new_id()
        units.append(
            {
                "id": unit_id,
                "region": region,
                "employer_no": f"{region}{place:05d}",
                "credit_code": credit_code(region, "91", place),
                "name": f"{params.name}示例新办企业{place}有限公司",
                "unit_type": "企业",
                "details": {
                    "address": f"{params.name}示例路{place}号",
                    "postcode": f"{region[:4]}00",
                    "contact_name": "陈静",
                    # region and place make the number: every unit has a phone of its own
                    "contact_mobile": f"139{region}{place:02d}",
                    "bank_name": f"{params.name}示例银行营业部",
                },
                "bank_cipher": encrypt(f"622200{region}{place:06d}"),
                "demo": True,
            }
        )
        funds += [
            {"employer_id": unit_id, "fund": code, "from_month": SINCE, "to_month": None}
            for code in params.usual_funds()
        ]
    return units, funds
