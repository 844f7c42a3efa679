"""Identity numbers, other documents, credit codes: what a number proves by itself."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
IDENTITY_CHECKS = "10X98765432"
IDENTITY_PATTERN = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
CREDIT_PATTERN = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}", re.ASCII)
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

CITIZEN_CARD = "01"
RESIDENCE_PERMIT = "17"
PERMIT_PREFIXES = ("81", "82", "83")
MALE, FEMALE = "1", "2"

# Other documents: letters, digits and the marks that officers' cards carry.
DOCUMENT_PATTERNS = {
    "02": r"[一-鿿]{1,4}字?第?[0-9]{4,8}号?",
    "03": r"[一-鿿]{1,4}字?第?[0-9]{4,8}号?",
    "04": r"[HK]?[A-Z]?[0-9]{8,10}|[A-Z]{1,2}[0-9]{6,8}",
    "05": r"M?[A-Z]?[0-9]{8,10}|[A-Z]{1,2}[0-9]{6,8}",
    "06": r"[0-9]{8}|[0-9]{10}[A-Z0-9]?",
    "07": r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]",
    "08": r"[A-Z0-9]{5,20}",
    "16": r"[A-Z]{1,2}[0-9]{7,8}",
}
ANY_DOCUMENT = r"[A-Z0-9一-鿿()\-]{4,30}"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identity number says. `reason` is None or a code: empty, length, fifteen, characters, date,
    future, check_digit, prefix, pattern."""

    valid: bool
    reason: str | None
    number: str
    birth_date: date | None = None
    sex: str | None = None


@dataclass(frozen=True, slots=True)
class CreditCode:
    """What a unified social credit code says. `reason` is None or empty, length, characters, check_digit.
    A wrong organisation code inside is only soft: `organisation_valid`."""

    valid: bool
    reason: str | None
    code: str
    organisation_valid: bool = False


def normalise(text: str) -> str:
    """Return the text as systems store numbers: half-width, upper-case, without any blanks."""
    return re.sub(r"[\s​﻿]+", "", unicodedata.normalize("NFKC", text)).upper()


def normalise_name(text: str) -> str:
    """Return a name half-width for Latin letters, trimmed, with inner runs of blanks as one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("​", "").split())


def identity_check_digit(first17: str) -> str:
    """Return the 18th character for the first 17 digits. Source: GB 11643-1999."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, IDENTITY_WEIGHTS, strict=True))
    return IDENTITY_CHECKS[total % 11]


def check_identity(number: str, today: date | None = None) -> Identity:
    """Judge an 18-character identity number by form, birth date and check digit.

    The first six digits are the place of first issue and prove nothing about today's map,
    so they are not looked up. Numbers of 15 digits are refused. With `today`, a birth date
    after it is refused. Source: GB 11643-1999; residence permits 81, 82, 83 follow the same check.
    """
    text = normalise(number)
    reason = _identity_form(text)
    if reason:
        return Identity(False, reason, text)
    birth = _birth_date(text)
    if birth is None:
        return Identity(False, "date", text)
    if today is not None and birth > today:
        return Identity(False, "future", text)
    if identity_check_digit(text[:17]) != text[17]:
        return Identity(False, "check_digit", text)
    return Identity(True, None, text, birth, MALE if int(text[16]) % 2 else FEMALE)


def _identity_form(text: str) -> str | None:
    if not text:
        return "empty"
    if len(text) == 15 and text.isascii() and text.isdigit():
        return "fifteen"
    if len(text) != 18:
        return "length"
    return None if IDENTITY_PATTERN.fullmatch(text) else "characters"


def _birth_date(text: str) -> date | None:
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None


def check_document(id_type: str, number: str, today: date | None = None) -> Identity:
    """Judge the number of any document type; birth date and sex only come from numbers that hold them.

    Shape: id_type is the national code (01 identity card, 17 residence permit, ...).
    """
    if id_type in (CITIZEN_CARD, RESIDENCE_PERMIT):
        identity = check_identity(number, today)
        permit = identity.number[:2] in PERMIT_PREFIXES
        if identity.valid and permit != (id_type == RESIDENCE_PERMIT):
            return Identity(False, "prefix", identity.number)
        return identity
    text = normalise(number)
    if not text:
        return Identity(False, "empty", text)
    if not re.fullmatch(DOCUMENT_PATTERNS.get(id_type, ANY_DOCUMENT), text):
        return Identity(False, "pattern", text)
    return Identity(True, None, text)


def credit_check_digit(first17: str) -> str:
    """Return the 18th character for the first 17. Source: GB 32100-2015 (remainder 0 gives 0)."""
    values = (CREDIT_ALPHABET.index(sign) for sign in first17)
    total = sum(value * weight for value, weight in zip(values, CREDIT_WEIGHTS, strict=True))
    return CREDIT_ALPHABET[(31 - total % 31) % 31]


def check_credit_code(code: str) -> CreditCode:
    """Judge a unified social credit code by form and check digit. Source: GB 32100-2015, GB 11714."""
    text = normalise(code)
    if not text:
        return CreditCode(False, "empty", text)
    if len(text) != 18:
        return CreditCode(False, "length", text)
    if not CREDIT_PATTERN.fullmatch(text):
        return CreditCode(False, "characters", text)
    if credit_check_digit(text[:17]) != text[17]:
        return CreditCode(False, "check_digit", text)
    return CreditCode(True, None, text, _organisation_valid(text[8:17]))


def _organisation_valid(code: str) -> bool:
    # GB 11714 counts letters as 10..35 of the full alphabet, unlike the credit code around it.
    values = [int(sign, 36) for sign in code[:8]]
    rest = 11 - sum(value * weight for value, weight in zip(values, ORGANISATION_WEIGHTS, strict=True)) % 11
    return code[8] == {10: "X", 11: "0"}.get(rest, str(rest))


def mask(number: str) -> str:
    """Return the number as lists show it: first four, five stars, last four (3205*****0515)."""
    if len(number) <= 8:
        return "*" * len(number)
    return f"{number[:4]}*****{number[-4:]}"


def mask_each(numbers: str) -> str:
    """Return several numbers as lists show them, whatever stood between them."""
    return "、".join(mask(part) for part in re.split(r"[\s,，、;；]+", numbers) if part)


def mask_phone(phone: str) -> str:
    """Return a phone number as lists show it: 188****2234."""
    if len(phone) <= 7:
        return "*" * len(phone)
    return f"{phone[:3]}****{phone[-4:]}"
