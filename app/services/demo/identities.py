"""Synthetic names and numbers: valid in form, and belonging to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from app.domain.identity import credit_check_digit, identity_check_digit

MALE, FEMALE = "1", "2"
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦"
    "夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = {
    MALE: "伟强磊洋勇军杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆旭宁龙林阳建志国文永海峰松毅诚博翔航",
    FEMALE: "芳娜敏静秀丽艳娟霞燕玲桂英华慧巧美洁梅云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼珍怡婷雯颖晶欣",
}
# The address code of a city as a whole: well-formed, but not where identity cards are issued.
WHOLE_CITY = "01"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Identity:
    """One made-up citizen."""

    number: str
    name: str
    sex: str
    birth_date: date
    phone: str


class IdentitySource:
    """Makes citizens of one region, never the same number twice.

    Those who get a record and those who stay unknown draw from different halves of the sequence
    numbers, so that neither list depends on how long the other one is.
    """

    def __init__(self, region: str, *, known: bool) -> None:
        self._prefix = region[:4] + WHOLE_CITY
        self._first = 0 if known else 500
        self._used: set[str] = set()

    def make(self, random: Random, sex: str, birth_date: date) -> Identity:
        """One more citizen of that sex and birth date."""
        while True:
            sequence = self._first + 2 * random.randrange(250) + (sex == MALE)
            first17 = f"{self._prefix}{birth_date:%Y%m%d}{sequence:03d}"
            if first17 not in self._used:
                break
        self._used.add(first17)
        return Identity(
            number=first17 + identity_check_digit(first17),
            name=make_name(random, sex),
            sex=sex,
            birth_date=birth_date,
            phone=make_phone(random),
        )


def make_name(random: Random, sex: str) -> str:
    """A plausible Chinese name of two or three characters."""
    given = random.choices(GIVEN[sex], k=1 if random.random() < 0.25 else 2)
    return random.choice(SURNAMES) + "".join(given)


def make_phone(random: Random) -> str:
    """A mobile number of the right form, with 0000 in the middle so that it rings nowhere."""
    return f"13{random.randrange(10)}0000{random.randrange(10_000):04d}"


def day_between(random: Random, first: date, last: date) -> date:
    """A day of the span, both ends included."""
    return first + timedelta(days=random.randrange((last - first).days + 1))


def credit_code(region: str, department: str, sequence: int) -> str:
    """A unified social credit code with both check characters right."""
    organisation = f"MA0{sequence:05d}"
    values = (int(sign, 36) for sign in organisation)
    rest = 11 - sum(value * weight for value, weight in zip(values, ORGANISATION_WEIGHTS, strict=True)) % 11
    first17 = f"{department}{region}{organisation}{ {10: 'X', 11: '0'}.get(rest, str(rest)) }"
    return first17 + credit_check_digit(first17)


def unknown_people(region: str) -> Iterator[Identity]:
    """Citizens of working age of whom no registry knows anything, without end and always the same."""
    random = Random(f"{region}:unknown")  # noqa: S311 - the same people every time is the point
    source = IdentitySource(region, known=False)
    while True:
        sex = MALE if random.random() < 0.5 else FEMALE
        yield source.make(random, sex, day_between(random, date(1985, 1, 1), date(2003, 12, 31)))
