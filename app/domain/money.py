"""Amounts in yuan (Decimal) and fen (int), and amounts in words."""

from decimal import ROUND_HALF_UP, Decimal

FEN = Decimal("0.01")
DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
WAN = 10_000
YI = 100_000_000


def round_fen(amount: Decimal) -> Decimal:
    """Return the amount to two decimals, half-up. Source: DOMAIN of the printed figures (5783 x 0.9 %)."""
    return amount.quantize(FEN, rounding=ROUND_HALF_UP)


def to_fen(amount: Decimal) -> int:
    """Return whole fen for an amount in yuan, half-up."""
    return int(round_fen(amount) * 100)


def from_fen(fen: int) -> Decimal:
    """Return the amount in yuan, with two decimals."""
    return Decimal(fen).scaleb(-2).quantize(FEN)


def format_yuan(amount: Decimal) -> str:
    """Return the amount as text with exactly two decimals and no grouping: 44819.6 becomes 44819.60."""
    return f"{round_fen(amount):.2f}"


def uppercase(amount: Decimal) -> str:
    """Return the amount in words as the notices print it: 圆, and 整 after 角.

    Raises: ValueError for parts of a fen and for amounts of 万亿亿 and more.
    Source: 支付结算办法 附件一; Suzhou manual 7 (征集缴费通知单).
    """
    if amount != amount.quantize(FEN):
        raise ValueError("an amount in words has whole fen")
    if amount < 0:
        return "负" + uppercase(-amount)
    yuan, fen = divmod(int(amount * 100), 100)
    if yuan >= YI * YI:
        raise ValueError("the amount is too large to be written in words")
    if fen == 0:
        return (_below_yi_yi(yuan) or "零") + "圆整"
    return (_below_yi_yi(yuan) + "圆" if yuan else "") + _cents(yuan, fen)


def _cents(yuan: int, fen: int) -> str:
    jiao, rest = divmod(fen, 10)
    words = ""
    if yuan and (jiao == 0 or yuan % 10 == 0):
        words = "零"
    if jiao:
        words += DIGITS[jiao] + "角"
    return words + (DIGITS[rest] + "分" if rest else "整")


def _below_yi_yi(number: int) -> str:
    high, low = divmod(number, YI)
    if not high:
        return _below_yi(low)
    gap = "零" if 0 < low < YI // 10 else ""
    return _below_yi(high) + "亿" + gap + _below_yi(low)


def _below_yi(number: int) -> str:
    high, low = divmod(number, WAN)
    if not high:
        return _section(low)
    gap = "零" if 0 < low < WAN // 10 else ""
    return _section(high) + "万" + gap + _section(low)


def _section(number: int) -> str:
    words, pending_zero = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            words += ("零" if pending_zero else "") + DIGITS[digit] + PLACES[place]
            pending_zero = False
        else:
            pending_zero = bool(words)
    return words
