"""Publishing one definition by hand, after the same checks that the repository's own files pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.definitions import current
from app.definitions.checks import Problem, ServiceTable, check_files
from app.definitions.files import Key, key_of, sha256_of
from app.definitions.versions import DESIGNER, Listed, list_versions, version_row
from app.errors import WangtingError
from app.store import definitions as store
from app.store.session import transaction


class DefinitionRefused(WangtingError):
    """The checks found problems; nothing was published."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.file} {p.element}: {p.message}" for p in problems))
        self.problems = tuple(problems)


def publish(
    path: str,
    content: bytes,
    *,
    now: datetime,
    services: ServiceTable | None = None,
    region: str | None = None,
    published_by_id: int | None = None,
    note: str = "",
) -> Listed:
    """Publish a definition for new cases; running ones keep what they started with.

    The name `path` says what the file is, `region` makes it a region's own; `services` is what a diagram may
    call, by name. The file is checked together with everything else that is published: what it breaks
    elsewhere refuses it as well. Publishing what is already in use changes nothing.
    Raises: DefinitionRefused, UnknownDefinitionFile.
    """
    named = key_of(path)
    key = named if region is None else Key(named.kind, named.name, region)
    problems = _new_problems(key, content, services)
    if problems:
        raise DefinitionRefused(problems)
    with transaction():
        history = store.list_versions(key.kind, key.name, key.region)
        in_use = [version for version in history if version.status == store.PUBLISHED]
        if not in_use or in_use[-1].sha256 != sha256_of(content):
            row = version_row(
                key,
                content,
                history,
                status=store.PUBLISHED,
                origin=DESIGNER,
                now=now,
                published_by_id=published_by_id,
                note=note,
            )
            # A seed that was kept back is answered by this version too.
            store.retire_versions([version.id for version in history])
            store.add_versions([row])
    current.forget()
    return [version for version in list_versions(key) if version.status == store.PUBLISHED][-1]


def _new_problems(key: Key, content: bytes, services: ServiceTable | None) -> list[Problem]:
    """List what is wrong with the new file, and what it makes wrong elsewhere."""
    published = current.published().versions
    files = {other.path: version.content for other, version in published.items()}
    found = check_files({**files, key.path: content}, services)
    if all(problem.file == key.path for problem in found):
        return list(found)
    # A fault that stands in another file already is not this one's.
    before = set(check_files(files, services))
    return [problem for problem in found if problem.file == key.path or problem not in before]
