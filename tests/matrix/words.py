"""What the model's reasons are called in the product; SAID is what Suzhou's manual prints, word for word."""

import re

CODES = {
    "two records": {"person.duplicate"},
    "document at the counter": {"enrol.id_type_at_counter"},
    "number": {
        "identity.empty", "identity.fifteen", "identity.length", "identity.characters", "identity.date",
        "identity.future", "identity.check_digit", "identity.prefix", "identity.pattern",
    },
    "nobody of this number": {"enrol.person_unknown"},
    "another name": {"enrol.name_differs"},
    "another birth date": {"enrol.birth_date_differs"},
    "another sex": {"enrol.sex_differs"},
    "retired": {"enrol.person_retired"},
    "man's age": {"enrol.age_male", "enrol.age_reached_male"},
    "woman's age": {"enrol.age_female", "enrol.age_reached_female"},
    "employer paused": {"employer.paused"},
    "employer ended": {"employer.ended"},
    "next month not open": {"enrol.next_month_not_open"},
    "too late": {"enrol.start_too_late"},
    "too early": {"enrol.start_too_early"},
    "not after the last paid month": {"enrol.start_not_after_last_paid"},
    "insured in another city": {"enrol.active_elsewhere"},
    "insured at an employer": {"enrol.active_at_employer"},
    "overlap": {"enrol.overlap"},
    "insured as flexible": {"enrol.active_flexible"},
    "insured as resident": {"enrol.active_resident"},
    "no fund": {"enrol.fund_none"},
    "fund that the employer has not": {"enrol.fund_not_of_employer"},
    "forced fund missing": {"enrol.fund_forced"},
    "wage not positive": {"base.not_positive"},
    "wage not whole": {"base.not_whole"},
    "wage beyond the floor": {"base.below_floor", "base.clipped_floor"},
    "wage beyond the cap": {"base.above_cap", "base.clipped_cap"},
    "another open declaration": {"enrol.one_open"},
}  # fmt: skip
REASON_OF = {code: reason for reason, codes in CODES.items() for code in codes}

SAID = {
    "paid back": "参保成功，补缴成功。后续请到“已审核数据查询”中查询信息",
    "nothing to pay back": "参保成功，但补缴失败，没有查询到可以补收的时间段！",
    "next month not open": "处理失败！当月结算期之前，参保日期不可选择为下个月！",
    "two records": "该人员存在多条基础信息，请到柜台做人员合并",
    "woman's age": "处理失败！女性 50 周岁不允许网办参保，请去统筹区医保局办理",
    "man's age": "处理失败！男性 60 周岁不允许网办参保，请去统筹区医保局办理",
    "insured as flexible": "处理失败！该人员存在灵活就业参保。请先办理停保!",
    "insured at an employer": "处理失败！该人员在单位编号：*****下存在正常参保的险种，不允许新增!",
    "insured as resident": "处理失败！处理失败！该人员曾经做过转移,且在新单位下正常参保!",
}


def reasons(codes) -> frozenset[str]:
    """The model's reasons for the product's codes."""
    return frozenset(REASON_OF.get(code, code) for code in codes)


def sentences(region_messages: dict, common_messages: dict, wanted: frozenset[str]) -> list[re.Pattern[str]]:
    """Patterns of the sentences that say these reasons in a city, blanks where figures stand."""
    messages = {**common_messages, **region_messages}
    found = []
    for reason in wanted:
        texts = [messages[code] for code in CODES.get(reason, ()) if code in messages]
        parts = ("".join(_pieces(text)) for text in texts)
        found.append(re.compile("|".join(f"(?:{part})" for part in parts) or "$^"))
    return found


def _pieces(text: str):
    for place, piece in enumerate(re.split(r"\{\w+\}", " ".join(text.split()))):
        yield (".*" if place else "") + re.escape(piece)
