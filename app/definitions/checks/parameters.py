"""Parameter files: readable, quoted, dated, with unit and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from app.definitions.checks.problem import Files, Problem
from app.definitions.files import COMMON, FORM, PARAMETERS, Key
from app.definitions.words import MESSAGES, speaks, with_words
from app.domain.parameters import ParameterFault, from_documents


def read_parameters(known: Files) -> Iterator[Problem]:
    """Read the parameter files into `known.parameters`, one set per region, and list what is wrong."""
    documents: dict[Key, Mapping[str, Any]] = {}
    for key, content in known.contents.items():
        if key.kind != PARAMETERS:
            continue
        try:
            document = yaml.safe_load(content) or {}
        except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
            yield Problem(key.path, "", "invalid", f"不是合法的 YAML：{str(error).splitlines()[0]}")
            continue
        if not isinstance(document, dict):
            yield Problem(key.path, "", "invalid", "参数文件必须是键值结构")
            continue
        documents[key] = document
    common = documents.get(Key(PARAMETERS, COMMON), {})
    yield from _try(Key(PARAMETERS, COMMON), common, {}, known, keep=False) if common else ()
    for key, document in documents.items():
        if key.region:
            if str(document.get("region", "")) != key.region:
                yield Problem(key.path, "region", "file_name", "文件名与文件中的统筹区代码不一致")
            yield from _try(key, document, with_words(common, _forms(known, key.region)), known, keep=True)


def _forms(known: Files, region: str) -> dict[str, Mapping[str, Any]]:
    names = {key.name for key in known.documents if speaks(key.name)}
    found = {name: known.find(FORM, name, region) for name in sorted(names)}
    # what is wrong with a form's words is said of the form
    return {
        name: known.documents[key]
        for name, key in found.items()
        if key in known.documents and key and isinstance(known.documents[key].get(MESSAGES, {}), Mapping)
    }


def _try(
    key: Key, document: Mapping[str, Any], common: Mapping[str, Any], known: Files, *, keep: bool
) -> Iterator[Problem]:
    try:
        parameters = from_documents(document, common)
        if keep:
            known.parameters[key.region] = parameters
    except ParameterFault as fault:
        yield Problem(key.path, str(fault).partition(":")[0], "parameter", f"参数有误：{fault}")
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        yield Problem(key.path, "", "parameter", f"参数文件结构有误：{type(error).__name__} {error}")
