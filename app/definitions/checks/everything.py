"""All checks over a set of files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from app.definitions.checks.decisions import check_decision
from app.definitions.checks.forms import check_form
from app.definitions.checks.graph import check_graph
from app.definitions.checks.menus import check_menus
from app.definitions.checks.parameters import read_parameters
from app.definitions.checks.problem import Files, Problem, ServiceTable
from app.definitions.checks.processes import check_process
from app.definitions.checks.references import check_references
from app.definitions.checks.rules import check_rules
from app.definitions.files import DECISION, FORM, PROCESS, Key, UnknownDefinitionFile, key_of
from app.domain.declaration import KINDS
from app.engine.decisions import describe_decision
from app.engine.describe import describe
from app.engine.errors import DefinitionInvalid
from app.engine.runtime import compile_process


def check_files(files: Mapping[str, bytes], services: ServiceTable | None = None) -> list[Problem]:
    """List what is wrong with a set of definition files, ordered by file and element.

    Shape: path (as in the repository) -> content. References are looked for inside the set, so it has to
    be complete. Service names and parameters are only checked against a table that is given.
    """
    problems: list[Problem] = []
    known = Files(contents={}, services=services)
    for path, content in files.items():
        try:
            known.contents[key_of(path)] = content
        except UnknownDefinitionFile:
            problems.append(Problem(path, "", "file_name", "文件名不符合规则：<名称>[.<统筹区>].<扩展名>"))
    problems.extend(_read(known))
    problems.extend(_check_all(known))
    if not problems:
        problems.extend(_compile_all(known))
    return sorted(set(problems))


def _read(known: Files) -> Iterator[Problem]:
    for key, content in known.contents.items():
        try:
            if key.kind == PROCESS:
                known.processes[key] = describe(content, key.path)
            elif key.kind == DECISION:
                known.decisions[key] = describe_decision(content, key.path)
            elif key.kind == FORM:
                known.documents[key] = _json_object(content)
        except DefinitionInvalid as invalid:
            yield Problem(key.path, invalid.element, "invalid", invalid.message)
        except ValueError as error:
            yield Problem(key.path, "", "invalid", f"不是合法的 JSON：{error}")
    # after the forms: they bring words along
    yield from read_parameters(known)


def _json_object(content: bytes) -> Mapping[str, object]:
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("an object is needed")
    return document


def _check_all(known: Files) -> Iterator[Problem]:
    kinds = {*KINDS, *(kind for each in known.parameters.values() for kind in each.kinds)}
    for key, process in known.processes.items():
        yield from check_process(key, process, kinds)
        yield from check_graph(key, process)
        yield from check_references(key, process, known)
    for key, decision in known.decisions.items():
        yield from check_decision(key, decision, known)
    for key in known.documents:
        yield from check_form(key, known)
    yield from check_rules(known)
    yield from check_menus(known)


def _compile_all(known: Files) -> Iterator[Problem]:
    """Let the engine itself read each process with what it uses in each region."""
    for key in known.processes:
        for region in known.regions_of(key):
            try:
                used = sorted((k.kind, k.path, known.contents[k]) for k in _used(known, key, region))
                _compile(key.name, tuple(used))
            except DefinitionInvalid as invalid:
                yield Problem(invalid.file, invalid.element, "invalid", invalid.message)


# Most regions use the same files, and publishing one file leaves the others as they were.
@lru_cache(maxsize=512)
def _compile(process_id: str, files: tuple[tuple[str, str, bytes], ...]) -> None:
    compile_process(
        process_id,
        {path: content for kind, path, content in files if kind == PROCESS},
        {path: content for kind, path, content in files if kind == DECISION},
    )


def _used(known: Files, start: Key, region: str) -> Iterable[Key]:
    found: dict[Key, None] = {}
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found[key] = None
        if key.kind == PROCESS:
            process = known.processes[key]
            wanted = [(PROCESS, name) for name in process.called]
            wanted += [(DECISION, name) for name in process.decisions]
            waiting += [used for kind, name in wanted if (used := known.find(kind, name, region))]
    return found
