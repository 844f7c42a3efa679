"""The words of form refusals, by code. They are the message ids of the translation catalogue."""

from __future__ import annotations

# {title} is the field's title in the region's own words; {limit} what the schema allows.
MESSAGES: dict[str, str] = {
    "required": "请填写{title}",
    "required_choice": "请选择{title}",
    "required_file": "请上传{title}",
    "unknown_field": "表单不含“{field}”这一项，请刷新页面后重新填写",
    "not_in_list": "{title}：请从列表中选择",
    "too_few": "{title}：至少选择 {limit} 项",
    "too_many": "{title}：最多选择 {limit} 项",
    "twice": "{title}：同一项选择了两次",
    "too_long": "{title}：最多 {limit} 个字",
    "too_short": "{title}：至少 {limit} 个字",
    "too_small": "{title}：不能小于 {limit}",
    "too_large": "{title}：不能大于 {limit}",
    "bad_type": "{title}：格式不正确",
    "pattern": "{title}：格式不正确",
    "date": "{title}：请填写真实存在的日期，格式如 2020/01/01",
    "month": "{title}：请填写年月，格式如 202608",
    "money": "{title}：请填写金额，最多两位小数",
    "whole_yuan": "{title}：只填写整数，不保留小数",
    "integer": "{title}：请填写整数",
    "phone": "{title}：请填写 11 位手机号码",
    "account": "{title}：请填写 8 至 32 位数字",
    "email": "{title}：电子邮箱格式不正确",
    "identity": "{title}：证件号码不正确",
    "identity_length": "{title}：身份证号码应为 18 位",
    "identity_characters": "{title}：前 17 位应为数字，末位为数字或大写字母 X",
    "identity_birth_date": "{title}：出生日期部分不是真实日期",
    "identity_check_digit": "{title}：校验码不正确",
    "derived_mismatch": "{title}：与证件号码不一致",
    "number_rounded": "{title}（{cell} 单元格）：长数字被存成数值，末几位已丢失，请设为文本后重新填写",
    "number_in_text": "{title}（{cell} 单元格）：应为文本，请把单元格设为文本后重新填写",
    "cell_value": "{title}（{cell} 单元格）：单元格里是“{value}”，不能读取，请改为文本",
}
