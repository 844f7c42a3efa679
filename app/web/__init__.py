"""Pages: each view parses, calls one service and renders. `register` wires them to the application."""

from __future__ import annotations

from flask import Flask

from app.web import audited, auth, counter, errors, frame, i18n, orders, public, records, security
from app.web import picking as picking
from app.web import picking_many as picking_many
from app.web.adjustments import adjustments
from app.web.approvals import approvals
from app.web.batch_materials import batches
from app.web.cases import cases
from app.web.decisions import audits
from app.web.hall import hall
from app.web.incidents import incidents
from app.web.materials import materials
from app.web.opening import opening
from app.web.operators import operators
from app.web.oversight import oversight
from app.web.paging import RowId
from app.web.reaching import retiring
from app.web.registration import registration
from app.web.sms import sms
from app.web.units import units
from app.web.yearly import yearly

# the lists of declarations and of decisions are views of their blueprint, in a module of their own
BLUEPRINTS = (
    auth.auth, public.public, hall, records.declarations, cases, audited.inbox, audits, approvals, batches,
    incidents, materials, sms, registration, operators, units, opening, yearly, counter.counter,
    orders.ledger, retiring, oversight, adjustments,
)  # fmt: skip


def register(app: Flask) -> None:
    """Bind templates, static files, guards, sessions, languages and all pages."""
    app.template_folder = "web/templates"
    app.static_folder = "web/static"
    app.url_map.converters["int"] = RowId
    security.register(app)
    auth.register(app)
    i18n.register(app)
    frame.register(app)
    errors.register(app)
    public.register(app)
    counter.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
