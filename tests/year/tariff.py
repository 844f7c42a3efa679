"""What a month costs in a city, read from its parameter file alone: nothing of the product is imported."""

from datetime import date
from decimal import Decimal

from tests.matrix.model import document, fen, month

PAID_IN = ("employee", "employer")
ALLOCATED = ("allocation_employee", "allocation_employer")


class City:
    """A city's figures by month."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._values = {**document("common")["parameters"], **document(code)["parameters"]}
        self._with_base = {each["code"]: each.get("carries_base", True) for each in document(code)["funds"]}

    @property
    def funds(self) -> list[str]:
        """Everybody's funds: all but the civil servants'."""
        return [code for code in self._with_base if code != "320"]

    @property
    def retirees_funds(self) -> set[str]:
        """The funds that a retiree goes on in: those with a figure for retirees."""
        return {name.split(".")[2] for name in self._values if name.startswith("contribution.retired.")}

    def value(self, name: str, when: str) -> Decimal:
        for entry in self._values[name]:
            if entry["from"] <= when <= entry.get("to", "9999-12"):
                return Decimal(str(entry["value"]))
        raise LookupError(f"{self.code} {name} {when}")

    def base(self, wage: int, when: str) -> int:
        """A wage in fen held between floor and cap."""
        floor, cap = (fen(self.value(f"base.{name}", when)) for name in ("floor", "cap"))
        return min(max(wage, floor), cap)

    def lines(self, funds, base: int, when: str, status: str) -> list[tuple]:
        """Fund, party, base, rate, fixed sum and amount in fen of a month: nothing where nothing is due."""
        found = []
        for fund in funds:
            shown = base if self._with_base[fund] else 0
            for party in PAID_IN + ALLOCATED:
                stem = f"contribution.{status}.{fund}.{party}"
                if f"{stem}.rate" in self._values and (rate := self.value(f"{stem}.rate", when)):
                    amount = fen(Decimal(base) / 100 * rate)
                    found.append((fund, party, shown, f"{rate.normalize():f}", None, amount))
                if f"{stem}.fixed" in self._values and (fixed := self.value(f"{stem}.fixed", when)):
                    found.append((fund, party, shown, None, fen(fixed), fen(fixed)))
        return found

    def due_day(self, when: str) -> date:
        return date(int(when[:4]), int(when[5:]), int(self.value("payment.due_day", when)))

    def late_fee(self, amount: int, due: date, paid: date) -> int:
        """Simple, for each day after the due day, at most the principal."""
        days = (paid - due).days
        if amount <= 0 or days <= 0:
            return 0
        return min(amount, fen(Decimal(amount) / 100 * self.value("late_fee.daily_rate", month(paid)) * days))
