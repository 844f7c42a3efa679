"""Dated, sourced parameters of one region over those of the whole country."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from app.domain.calendar import check_month, month_of
from app.domain.codes import CodeList, code_list
from app.domain.declaration import STATUSES, kind_word
from app.domain.menu import read_menu

Value = Decimal | str | bool | tuple[str, ...]

TEXT_UNITS = frozenset({"text", "month", "code"})
FLAG_WORDS = {"yes": True, "no": False}
DEMO = "demo"
ONLINE, COUNTER = "online", "counter"
END_OF_TIME = "9999-12"
REGION_KEYS = frozenset(
    {
        "region",
        "slug",
        "name",
        "title",
        "agency",
        "labels",
        "messages",
        "kinds",
        "menu",
        "funds",
        "codes",
        "parameters",
        "holidays",
    }
)


class ParameterMissing(LookupError):
    """A parameter has no value for a month: nothing may be assumed in its place."""

    def __init__(self, name: str, region: str, month: str) -> None:
        super().__init__(f"parameter {name} of region {region or '-'} has no value for {month}")
        self.name = name
        self.region = region
        self.month = month


class ParameterFault(ValueError):
    """A parameter document is wrong: the message names the entry and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Dated:
    """One value with the months it holds for, both included."""

    first: str
    last: str
    value: Value
    unit: str
    source: str

    @property
    def demo(self) -> bool:
        """Whether no source states the value."""
        return self.source == DEMO


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund as a region offers it.

    Shape: mode is forced (always ticked), default (ticked, may be cleared) or choice (not ticked);
    bundle names the box that ticks several funds at once.
    """

    code: str
    name: str
    mode: str
    bundle: str
    person_type: str
    carries_base: bool


class ParameterSet:
    """All that one region's file and the common file say; look-ups are cached, so batches may ask often."""

    def __init__(
        self,
        document: Mapping[str, Any],
        series: Mapping[str, tuple[Dated, ...]],
        messages: Mapping[str, str],
        labels: Mapping[str, str],
        codes: Mapping[str, CodeList],
        holidays: Mapping[str, Sequence[str]],
    ) -> None:
        self.region: str = str(document.get("region", ""))
        # The name in Latin letters, as sign-in names carry it.
        self.slug: str = document.get("slug", "")
        self.name: str = document.get("name", "")
        self.title: str = document.get("title", "")
        self.agency: str = document.get("agency", "")
        self.kinds: Mapping[str, str] = dict(document.get("kinds") or {})
        self.funds: tuple[Fund, ...] = tuple(_fund(row) for row in document.get("funds") or ())
        self.menu = read_menu(document.get("menu") or ())
        self.messages = dict(messages)
        self.labels = dict(labels)
        self.holidays = frozenset(holidays["days"])
        self.workdays = frozenset(holidays["workdays"])
        self._series = dict(series)
        self._starts = {name: [dated.first for dated in rows] for name, rows in series.items()}
        self._codes = dict(codes)
        self._found: dict[tuple[str, str], Dated] = {}

    # -- values -----------------------------------------------------------------------------

    def dated(self, name: str, at: str | date) -> Dated:
        """Return the value with unit and source that holds at a month or date. Raises ParameterMissing."""
        month = at if isinstance(at, str) and len(at) == 7 else month_of(at)
        key = (name, month)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._find(name, month)
        return found

    def _find(self, name: str, month: str) -> Dated:
        check_month(month)
        place = bisect_right(self._starts.get(name, []), month) - 1
        if place >= 0 and month <= self._series[name][place].last:
            return self._series[name][place]
        raise ParameterMissing(name, self.region, month)

    def value(self, name: str, at: str | date) -> Value:
        """Return the value at a month or date. Raises ParameterMissing."""
        return self.dated(name, at).value

    def decimal(self, name: str, at: str | date) -> Decimal:
        """Return a numeric value, in the parameter's unit. Raises ParameterMissing, TypeError."""
        return _typed(name, self.value(name, at), Decimal)

    def integer(self, name: str, at: str | date) -> int:
        """Return a whole number, in the parameter's unit. Raises ParameterMissing, TypeError."""
        return int(self.decimal(name, at))

    def text(self, name: str, at: str | date) -> str:
        """Return a text value. Raises ParameterMissing, TypeError."""
        return _typed(name, self.value(name, at), str)

    def flag(self, name: str, at: str | date) -> bool:
        """Return a yes or no. Raises ParameterMissing, TypeError."""
        return _typed(name, self.value(name, at), bool)

    def listed(self, name: str, at: str | date) -> tuple[str, ...]:
        """Return a list of texts. Raises ParameterMissing, TypeError."""
        return _typed(name, self.value(name, at), tuple)

    def has(self, name: str) -> bool:
        """Return whether the parameter exists here for any month."""
        return name in self._series

    def names(self) -> list[str]:
        """Return all parameter names, sorted."""
        return sorted(self._series)

    def history(self, name: str) -> tuple[Dated, ...]:
        """Return all dated values of a parameter, oldest first; empty where unknown."""
        return self._series.get(name, ())

    def source(self, name: str, at: str | date) -> str:
        """Return where the value comes from; `demo` where nothing states it. Raises ParameterMissing."""
        return self.dated(name, at).source

    def is_demo(self, name: str, at: str | date) -> bool:
        """Return whether screens must mark the value 示例参数. Raises ParameterMissing."""
        return self.dated(name, at).demo

    # -- words, kinds, funds, codes -----------------------------------------------------------

    def message(self, code: str) -> str:
        """Return the text for a message code, with {placeholders}; the region's own win. Raises KeyError."""
        return self.messages[code]

    def label(self, name: str, default: str = "") -> str:
        """Return the region's own word for a field or menu entry, else the default, else the name."""
        return self.labels.get(name) or default or name

    def field_label(self, name: str, default: str = "") -> str:
        """Return the region's word for a form field; entries are written `field.<property>`."""
        return self.labels.get(f"field.{name}") or default or name

    def kind_label(self, kind: str) -> str:
        """Return the region's word for a kind of declaration, else the usual one. Raises KeyError."""
        return self.labels.get(f"kind.{kind}") or kind_word(kind)

    def status_label(self, status: str) -> str:
        """Return the region's word for a declaration's status, else the usual one. Raises KeyError."""
        return self.labels.get(f"status.{status}") or STATUSES[status]

    def offers(self, kind: str, channel: str = ONLINE) -> bool:
        """Return whether a kind of declaration can be filed here: online, or at the counter as well.

        Shape: channel is online or counter; the counter takes everything that the file lists.
        """
        return kind in self.kinds and (channel == COUNTER or self.kinds[kind] == ONLINE)

    def fund(self, code: str) -> Fund:
        """Return the region's entry for a fund. Raises KeyError where the region has no such fund."""
        for fund in self.funds:
            if fund.code == code:
                return fund
        raise KeyError(code)

    def fund_codes(self, mode: str | None = None) -> tuple[str, ...]:
        """Return the codes of all funds, or of those with one mode, in the region's order."""
        return tuple(fund.code for fund in self.funds if mode is None or fund.mode == mode)

    def usual_funds(self) -> tuple[str, ...]:
        """Return the funds that are ticked unless somebody changes them: forced and default ones."""
        return tuple(fund.code for fund in self.funds if fund.mode != "choice")

    def codes(self, name: str) -> CodeList:
        """Return a code list: the region's own, else the country-wide one. Raises KeyError."""
        own = self._codes.get(name)
        return own if own is not None else code_list(name)


def _typed(name: str, value: Any, kind: type[Any]) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"parameter {name} is {type(value).__name__}, not {kind.__name__}")
    return value


def _fund(row: Mapping[str, Any]) -> Fund:
    code = str(row["code"])
    if row.get("mode") not in ("forced", "default", "choice"):
        raise ParameterFault(f"fund {code}: mode is forced, default or choice")
    return Fund(
        code=code,
        name=row["name"],
        mode=row["mode"],
        bundle=row.get("bundle", ""),
        person_type=row.get("person_type", ""),
        carries_base=row.get("carries_base", True),
    )


def from_documents(region_doc: Mapping[str, Any], common_doc: Mapping[str, Any]) -> ParameterSet:
    """Compile a region's parsed file over the common one; an empty region gives the common values alone.

    The region's file wins name by name, message by message, list by list.
    Raises: ParameterFault for an unknown key, an unquoted number, overlapping months and the like.
    """
    merged: dict[str, dict[str, Any]] = {}
    for part in ("parameters", "messages", "labels", "codes"):
        merged[part] = {**(common_doc.get(part) or {}), **(region_doc.get(part) or {})}
    for document in (region_doc, common_doc):
        unknown = set(document) - REGION_KEYS
        if unknown:
            raise ParameterFault(f"unknown keys: {', '.join(sorted(map(str, unknown)))}")
    years = [*(common_doc.get("holidays") or ()), *(region_doc.get("holidays") or ())]
    return ParameterSet(
        document=region_doc,
        series={name: _series(name, rows) for name, rows in merged["parameters"].items()},
        messages=merged["messages"],
        labels=merged["labels"],
        codes={name: CodeList(name, rows) for name, rows in merged["codes"].items()},
        holidays={
            part: [str(day) for year in years for day in year.get(part) or ()]
            for part in ("days", "workdays")
        },
    )


def _series(name: str, rows: Sequence[Mapping[str, Any]]) -> tuple[Dated, ...]:
    if not rows:
        raise ParameterFault(f"{name}: no values")
    series = sorted((_dated(name, row) for row in rows), key=lambda dated: dated.first)
    for before, after in pairwise(series):
        if before.last == END_OF_TIME or after.first <= before.last:
            raise ParameterFault(f"{name}: values of {before.first} and {after.first} overlap")
    return tuple(series)


def _dated(name: str, row: Mapping[str, Any]) -> Dated:
    missing = {"from", "value", "unit", "source"} - set(row)
    if missing:
        raise ParameterFault(f"{name}: {', '.join(sorted(missing))} not given")
    try:
        first = check_month(row["from"])
        last = check_month(row.get("to", END_OF_TIME))
    except (TypeError, ValueError) as error:
        raise ParameterFault(f"{name}: {error}") from error
    if last < first:
        raise ParameterFault(f"{name}: ends before it starts in {first}")
    return Dated(first, last, _value(name, row["value"], row["unit"]), row["unit"], str(row["source"]))


def _value(name: str, raw: Any, unit: str) -> Value:
    if unit == "list":
        if not isinstance(raw, list):
            raise ParameterFault(f"{name}: a list is needed")
        return tuple(str(item) for item in raw)
    if not isinstance(raw, str):
        # An unquoted 0.07 would arrive as a binary float and lose fen.
        raise ParameterFault(f"{name}: the value {raw!r} must be quoted")
    if unit in TEXT_UNITS:
        return raw
    if unit == "flag":
        if raw not in FLAG_WORDS:
            raise ParameterFault(f"{name}: yes or no, not {raw!r}")
        return FLAG_WORDS[raw]
    try:
        return Decimal(raw)
    except InvalidOperation as error:
        raise ParameterFault(f"{name}: {raw!r} is no number") from error
