"""Colours can be read: text on its ground has a contrast of 4.5, controls and focus 3 (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest

from app.web import frame

TOKENS = (Path(frame.__file__).parent / "assets" / "css" / "tokens.css").read_text()
SIDES = ("employer", "agency", "platform")
GROUNDS = ("surface", "page", "sunken", "hover")
TEXTS = [(text, ground) for text in ("text", "text-2", "text-3") for ground in GROUNDS]
TEXTS += [("accent", ground) for ground in GROUNDS]
TEXTS += [
    ("accent-strong", "accent-soft"), ("text", "accent-soft"), ("text-2", "accent-soft"),
    ("on-button", "button"), ("on-button", "button-hover"), ("on-bar", "bar"), ("on-bar", "bar-2"),
    ("on-bar-2", "bar"), ("good", "good-soft"), ("good", "surface"), ("warn", "warn-soft"),
    ("warn", "surface"), ("bad", "bad-soft"), ("bad", "surface"), ("calm", "calm-soft"), ("text", "bad-soft"),
    ("text", "warn-soft"), ("text-3", "warn-soft"),
]  # fmt: skip
SHAPES = [("control-line", "surface"), ("focus", "surface"), ("focus", "page")]


def colours(side: str, dark: bool) -> dict[str, str]:
    light, _, night = TOKENS.partition("@media (prefers-color-scheme: dark)")
    found: dict[str, str] = {}
    for text in (light, night) if dark else (light,):
        for selector, body in re.findall(r"(:root[^{]*)\{([^}]*)\}", text):
            if "data-side" not in selector or f'"{side}"' in selector:
                found.update(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("side", SIDES)
def test_every_pair_can_be_read(side, dark):
    values = colours(side, dark)
    weak = {
        f"{front} on {back}": round(ratio, 2)
        for pairs, least in ((TEXTS, 4.5), (SHAPES, 3.0))
        for front, back in pairs
        if (ratio := contrast(values[front], values[back])) < least
    }
    assert weak == {}


def test_the_measure_is_the_standards_own():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
