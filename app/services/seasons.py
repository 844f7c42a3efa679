"""Kinds that employers file in a season only: whether one is open today, and the words if it is not."""

from __future__ import annotations

from datetime import date

from app.domain.parameters import ParameterSet
from app.domain.problem import problem_text
from app.services.kinds import handling


def closed_words(kind: str, rules: ParameterSet, today: date) -> str:
    """Why no form of a kind is taken from employers today, and when it is; "" while it is open.

    Source: Suzhou manual 4 (the module is on line only while the yearly declaration is open).
    """
    problem = handling(kind).closed(rules, today)
    return "" if problem is None else problem_text(rules, problem)
