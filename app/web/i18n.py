"""The reader's language, and how dates, months, money and numbers look on pages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask, g, request
from flask_babel import get_locale, get_translations
from flask_babel import gettext as _
from flask_login import current_user

from app import clock
from app.extensions import babel
from app.web.phrases import translated_sentence

LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
LANGUAGE_COOKIE = "language"


def register(app: Flask) -> None:
    """Bind the language choice and the filters that pages format values with."""
    babel.init_app(app, locale_selector=choose_language)
    app.jinja_env.filters.update(day=day, moment=moment, month=month, yuan=yuan, fen=fen, number=number)
    app.jinja_env.filters["tr"] = translated_text
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: _catalogue().ugettext(text),
        ngettext=lambda one, many, count: _catalogue().ungettext(one, many, count),
        pgettext=lambda context, text: _catalogue().upgettext(context, text),
        newstyle=True,
    )
    app.jinja_env.globals.update(language=language)


def _catalogue() -> Any:
    """The request's translations; asking the library for each of a page's hundreds of texts is slow."""
    found = g.get("catalogue")
    if found is None:
        found = g.catalogue = get_translations()
    return found


def choose_language() -> str:
    """The language picked on this browser, else the account's, else Chinese."""
    picked = request.cookies.get(LANGUAGE_COOKIE, "")
    if picked not in LANGUAGES and current_user and current_user.is_authenticated:
        picked = str(current_user.account.preferences.get("language", ""))
    return LANGUAGES.get(picked, LANGUAGES["zh"])


def language() -> str:
    """The page's language for its `lang` attribute."""
    return "en" if str(get_locale()).startswith("en") else "zh-CN"


def translated_text(text: object) -> str:
    """The text of a definition or a code list in the reader's language.

    Templates call `_()` for their own literals only: what it returns counts as safe HTML, while these texts
    come from published files and must be escaped.
    """
    if not text:
        return ""
    written, catalogue = str(text), _catalogue()
    found = str(catalogue.ugettext(written))
    compiled = getattr(catalogue, "files", None)
    return translated_sentence(written, compiled[0]) if found == written and compiled else found


def day(value: date | datetime | None) -> str:
    """2026-11-21; an aware moment is turned into the region's day."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = clock.to_region(value)
    return value.strftime("%Y-%m-%d")


def moment(value: datetime | None) -> str:
    """2026-11-21 09:30 on the region's clock."""
    if value is None:
        return ""
    if value.tzinfo is not None:
        value = clock.to_region(value)
    return value.strftime("%Y-%m-%d %H:%M")


def month(value: str | None) -> str:
    """2026-11 as it is; months are never shown as days."""
    return value or ""


def yuan(value: Decimal | str | None) -> str:
    """12,345.60 from an amount in yuan."""
    if value is None or value == "":
        return ""
    return f"{Decimal(value):,.2f}"


def fen(value: int | None) -> str:
    """12,345.60 from an amount in fen."""
    return "" if value is None else f"{Decimal(value) / 100:,.2f}"


def number(value: int | None) -> str:
    """12,345."""
    return "" if value is None else f"{value:,}"


def count_words(count: int, limit: int = 1000) -> str:
    """共 12 条, or 共 999+ 条 where counting stopped at the limit."""
    return _("共 %(number)s 条", number=number_words(count, limit))


def number_words(count: int, limit: int = 1000) -> str:
    """12, or 999+ where counting stopped at the limit."""
    return f"{limit - 1}+" if count >= limit else str(count)
