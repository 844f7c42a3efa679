"""What is published now, looked up without a query: bundles, parameters, regions and kinds.

Held once per OS process and database. Whether somebody else has published is asked at most every two
seconds and never inside a write transaction, so that filing a case costs no statement for it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import RLock
from time import monotonic

from app import clock
from app.definitions.bundle import Bundle, bundle_digest, compiled_parameters
from app.definitions.catalogue import Catalogue, Version
from app.definitions.files import FORM, PROCESS, Key
from app.domain.declaration import KINDS, kind_word
from app.domain.parameters import ParameterSet
from app.store import definitions as store
from app.store.models import DefinitionVersion
from app.store.session import after_commit, in_transaction, transaction

CHECK_SECONDS = 2.0
HELD_BUNDLES = 512
_HELD = "definitions"
_loading = RLock()


@dataclass
class _Held:
    mark: tuple[int, int]
    catalogue: Catalogue
    checked: float
    current: dict[tuple[str, str, bool], Bundle] = field(default_factory=dict)
    by_id: OrderedDict[int, Bundle] = field(default_factory=OrderedDict)
    words: dict[str, ParameterSet] = field(default_factory=dict)

    def keep(self, bundle: Bundle, at_counter: bool | None = None) -> Bundle:
        if at_counter is not None:
            self.current[bundle.kind, bundle.region, at_counter] = bundle
        self.by_id[bundle.id] = bundle
        while len(self.by_id) > HELD_BUNDLES:
            self.by_id.popitem(last=False)
        return bundle


def current_bundle(kind: str, region: str, *, at_counter: bool = False) -> Bundle:
    """Return what a new case of this kind starts with in this region, online or at the counter.

    Writes the bundle's row when the set is used for the first time: in the open transaction if there is
    one, else in a small one of its own. Raises: DefinitionMissing, DefinitionInvalid.
    """
    held = _held()
    bundle = held.current.get((kind, region, at_counter))
    if bundle is not None:
        return bundle
    versions = held.catalogue.collect(kind, region, at_counter=at_counter)
    ids = [version.id for version in versions]
    digest = bundle_digest(kind, region, ids)
    row = store.find_bundle(digest)
    if row is not None:
        return held.keep(Bundle(row.id, kind, region, versions, parameters), at_counter)
    if not in_transaction():
        with transaction():
            bundle_id = store.ensure_bundle(digest, kind, region, sorted(ids), clock.utcnow())
        return held.keep(Bundle(bundle_id, kind, region, versions, parameters), at_counter)
    bundle_id = store.ensure_bundle(digest, kind, region, sorted(ids), clock.utcnow())
    bundle = Bundle(bundle_id, kind, region, versions, parameters)
    # Not before the row is there for good: a rollback takes it away.
    after_commit(lambda: held.keep(bundle, at_counter))
    return bundle


def get_bundle(bundle_id: int) -> Bundle:
    """Return the bundle that an instance is pinned to, published today or not. Raises: NotFound."""
    held = _held()
    bundle = held.by_id.get(bundle_id)
    if bundle is not None:
        return bundle
    row = store.get_bundle(bundle_id)
    versions = [_version(version) for version in store.get_versions(row.version_ids)]
    return held.keep(Bundle(row.id, row.kind, row.region, versions, parameters))


def parameters(region: str) -> ParameterSet:
    """Return a region's published parameters, compiled. Raises: DefinitionMissing."""
    held = _held()
    found = held.words.get(region)
    if found is None:
        catalogue = held.catalogue
        found = compiled_parameters(*catalogue.parameters(region), catalogue.forms(region))
        held.words[region] = found
    return found


def regions() -> list[tuple[str, str]]:
    """List the regions that have parameters: code and name, by code."""
    return [(code, parameters(code).name) for code in _held().catalogue.regions()]


def kinds(region: str) -> list[str]:
    """List the kinds that a region offers and that have a published process.

    Shape: those that the product knows in its own order, then others as the region's file lists them.
    """
    catalogue, offered = _held().catalogue, parameters(region).kinds
    known = [kind for kind in KINDS if kind in offered]
    others = [kind for kind in offered if kind not in KINDS]
    return [kind for kind in (*known, *others) if catalogue.find(PROCESS, kind, region)]


def kind_title(kind: str) -> str:
    """Return the word for a kind where no region is meant: the usual one, else its form's title."""
    if kind in KINDS:
        return kind_word(kind)
    form = _held().catalogue.find(FORM, kind, "")
    return str(json.loads(form.content).get("title", kind)) if form is not None else kind


def published() -> Catalogue:
    """Return everything that is published now."""
    return _held().catalogue


def forget() -> None:
    """Look everything up again at the next use; called after publishing, and by tests that change tables."""
    store.forget_process_caches()


def _held() -> _Held:
    cache = store.process_cache()
    held: _Held | None = cache.get(_HELD)
    if held is not None and (monotonic() - held.checked < CHECK_SECONDS or in_transaction()):
        return held
    with _loading:
        mark = store.versions_mark()
        if held is None or held.mark != mark:
            rows = store.published_versions()
            held = cache[_HELD] = _Held(mark, Catalogue(_version(row) for row in rows), monotonic())
        held.checked = monotonic()
    return held


def _version(row: DefinitionVersion) -> Version:
    return Version(Key(row.kind, row.name, row.region), row.sha256, row.id, row.version, row.content)
