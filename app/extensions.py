"""Flask's extension objects, made here and bound to an application in the factory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData, Table
from sqlalchemy.orm import DeclarativeBase

# Set in a session's info while `app.store.session.transaction` is open.
WRITING = "wangting.writing"


class Base(DeclarativeBase):
    """Declarative base; constraints get names by rule, so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    if TYPE_CHECKING:
        # Every model here maps one plain table: bulk statements address it.
        __table__: ClassVar[Table]


class ReadingSession(Session):
    """Outside a write transaction PostgreSQL reads without BEGIN and ROLLBACK: two round trips less a page.

    Nothing is lost: at READ COMMITTED each statement sees what is committed anyway. SQLite's BEGIN costs
    nothing and gives a page one view of the data.
    """

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **more: Any) -> Any:
        engine = super().get_bind(mapper, clause, bind, **more)
        if bind is not None or self.info.get(WRITING) or engine.dialect.name != "postgresql":
            return engine
        reading = self.info.get(engine)
        if reading is None:
            reading = self.info[engine] = engine.execution_options(isolation_level="AUTOCOMMIT")
        return reading


# Objects stay readable after the commit: a page renders what was just written without reading it again.
db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"class_": ReadingSession, "expire_on_commit": False},
)
migrate = Migrate()
babel = Babel()
csrf = CSRFProtect()
login_manager = LoginManager()

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model
