"""Every name that is written as text means something: jobs, service tasks, commands, targets."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.contracts.tree import ROOT, python_files, syntax

_OPERATOR = "{http://spiffworkflow.org/bpmn/schema/1.0/core}serviceTaskOperator"


def test_every_job_name_is_a_function() -> None:
    """Names such as `jobs.notices.deliver` anywhere in the code."""
    names = {
        node.value
        for path in python_files("app", "jobs")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"jobs(\.[a-z_]+){2,}", node.value)
    }
    for name in names:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function, None)), name


def test_every_service_task_has_a_function() -> None:
    service_tasks = importlib.import_module("app.services.service_tasks")
    known = _mapping_names(Path(service_tasks.__file__ or ""))
    asked = {
        operator.attrib["id"]
        for path in sorted((ROOT / "bpmn" / "processes").glob("*.bpmn"))
        for operator in ElementTree.parse(path).iter(_OPERATOR)
    }
    assert asked
    assert asked <= known, asked - known


def test_the_readme_names_real_targets_and_commands() -> None:
    text = "\n".join((ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    code = "\n".join(re.findall(r"`[^`\n]+`|^    .*$", text, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    assert {"run", "test"} <= named
    assert named <= targets, named - targets
    commands = set(re.findall(r"\bflask ([a-z][a-z-]*)", code))
    listed = subprocess.run(
        [sys.executable, "-m", "flask", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    known = set(re.findall(r"^  ([a-z][a-z-]*)", listed.partition("Commands:")[2], re.MULTILINE))
    assert commands <= known, commands - known


def _mapping_names(path: Path) -> set[str]:
    """The keys of the literal dicts in a module: what a diagram may call is written down, not discovered."""
    return {
        key.value
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
