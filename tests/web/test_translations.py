"""English: what the catalogue holds, and that sentences with values in them are translated on pages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask

from app.web.catalogue import chinese_literals, definition_words
from app.web.i18n import translated_text
from app.web.phrases import translated_sentence
from app.web.workbench import decision_verb, decision_words

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "app/web/translations/en/LC_MESSAGES/messages.po"
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
# What everybody sees on every page: nothing of it may be left in Chinese.
FRAME = (
    "app/web/templates/auth",
    "app/web/templates/errors",
    "app/web/templates/frame",
    "app/web/templates/macros",
    "app/web/templates/layout.html",
    "app/web/auth.py",
    "app/web/errors.py",
    "app/web/frame.py",
    "app/web/menus.py",
)


@cache
def catalogue() -> dict[str, str]:
    """What is translated, by message id (with its context in front, where it has one)."""
    with CATALOGUE.open("rb") as file:
        return {
            _named(each.context, each.id): str(each.string)
            for each in read_po(file)
            if each.id and each.string
        }


def _named(context: str | None, text: object) -> str:
    return f"{context}: {text}" if context else str(text)


@cache
def extracted() -> dict[str, set[str]]:
    """Message id → the files it stands in."""
    with (ROOT / "app/web/translations/babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[str, set[str]] = {}
    keywords = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "pgettext": ((1, "c"), 2)}
    for name, _line, text, _comments, context in extract_from_dir(
        str(ROOT), methods, options, keywords, directory_filter=_own
    ):
        found.setdefault(_named(context, text), set()).add(name)
    return found


def _own(folder: str) -> bool:
    name = Path(folder).relative_to(ROOT).parts
    return not name or name[0] in ("app", "forms", "bpmn")


class TestTheCatalogue:
    def test_the_frame_of_every_page_is_translated(self):
        missing = [
            text
            for text, files in extracted().items()
            if text not in catalogue() and any(name.startswith(FRAME) for name in files)
        ]
        assert missing == []

    def test_no_text_is_missing(self):
        texts = extracted()
        missing = [text for text in texts if text not in catalogue()]
        assert len(texts) > 1500
        assert missing == []

    def test_every_translation_keeps_its_placeholders(self):
        for text, words in catalogue().items():
            assert set(PLACE.findall(words)) == set(PLACE.findall(text)), text

    def test_no_translation_is_left_in_chinese(self):
        """Columns of a workbook keep their Chinese names inside quotation marks."""
        for text, words in catalogue().items():
            assert not re.search(r"[\u4e00-\u9fff]", re.sub("“[^”]*”", "", words)), text


class TestWordsOfData:
    def test_a_sentence_put_together_in_code_becomes_a_pattern(self, tmp_path: Path):
        source = tmp_path / "refusals.py"
        source.write_text('"""说明"""\nWORDS = f"已由{task.name}认领"\nPLAIN = "请选择"\n')
        with source.open("rb") as file:
            found = [text for _line, _function, text, _comments in chinese_literals(file, (), (), {})]
        assert sorted(found) == ["已由{name}认领", "请选择"]

    def test_every_value_of_a_pattern_has_a_name_of_its_own(self, tmp_path: Path):
        source = tmp_path / "refusals.py"
        source.write_text(
            'A = f"{person.name}不需要{need.name}，{person.name}请核对"\n'
            'B = f"最多{3}个文件"\nC = r"第\\d行"\n'
        )
        with source.open("rb") as file:
            found = [text for _line, _function, text, _comments in chinese_literals(file, (), (), {})]
        assert sorted(found) == ["{name}不需要{name_2}，{name}请核对", "最多{value}个文件"]

    def test_a_form_shows_titles_but_no_source_and_no_sample(self, tmp_path: Path):
        form = tmp_path / "form.json"
        form.write_text('{"title": "增员", "source": "手册", "x-excel": {"sample": "示例"}, "enum": ["甲"]}')
        with form.open("rb") as file:
            assert [each[2] for each in definition_words(file, (), (), {})] == ["增员", "甲"]

    def test_a_diagram_shows_its_elements_and_the_titles_of_its_tasks(self, tmp_path: Path):
        diagram = tmp_path / "process.bpmn"
        diagram.write_text(
            '<bpmn:userTask id="fill" name="填写"/><spiffworkflow:property name="title" value="核对"/>'
            '<spiffworkflow:property name="summary" value="姓名"/>'
        )
        with diagram.open("rb") as file:
            assert [each[2] for each in definition_words(file, (), (), {})] == ["填写", "核对"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("catalogue") / "messages.mo"
    with CATALOGUE.open("rb") as source, target.open("wb") as file:
        write_mo(file, read_po(source))
    return str(target)


class TestSentences:
    @pytest.mark.parametrize(
        ("sentence", "words"),
        [
            ("请填写身份证号码", "Enter Identity card number"),
            ("姓名：最多 50 个字", "Name: at most 50 characters"),
            ("该任务已由李强认领，请选择其他任务", "李强 has claimed this case. Choose another"),
            (
                "以下险种必须参加：职工基本医疗保险、生育保险。",
                "These funds are compulsory: Basic medical insurance for employees, Maternity insurance.",
            ),
            (
                "处理记录保存30天，请及时导出结果。",
                "Records are kept for 30 days; export the result in time.",
            ),
            ("合计{不是}占位", "合计{不是}占位"),
            ("王小明", "王小明"),
            ("通天路九重天", "通天路九重天"),
        ],
    )
    def test_the_values_move_into_the_translated_pattern(self, compiled: str, sentence: str, words: str):
        assert translated_sentence(sentence, compiled) == words

    def test_a_decision_is_a_verb_on_its_button_and_a_conclusion_afterwards(self, app: Flask):
        with app.test_request_context("/", headers={"Cookie": "language=en"}):
            assert (decision_verb("return"), decision_words("return")) == (
                "Return for correction",
                "Returned",
            )
            assert (decision_verb("approve"), decision_words("approve")) == ("Approve", "Approved")
        with app.test_request_context("/", headers={"Cookie": "language=zh"}):
            assert decision_verb("return") == decision_words("return") == "退回补正"

    def test_pages_use_them_in_english_only(self, app: Flask):
        sentence = "证件号码与第7行重复，同一文件中每人只能填写一行。"
        with app.test_request_context("/", headers={"Cookie": "language=en"}):
            assert translated_text(sentence).startswith("The identity number is the same as in row 7")
        with app.test_request_context("/", headers={"Cookie": "language=zh"}):
            assert translated_text(sentence) == sentence
