"""Tables by area. Import from here, so that every table is known to the metadata."""

from app.store.models.account_records import AccountEvent, OneTimeCode
from app.store.models.accounts import User, UserEmployer, UserRole
from app.store.models.adjustments import Adjustment, AdjustmentChunk
from app.store.models.billing import (
    Assessment,
    NoticeSerial,
    OrderPosting,
    PaymentNotice,
    PaymentPosting,
)
from app.store.models.cases import (
    Declaration,
    Effect,
    Event,
    HumanTask,
    Incident,
    Notice,
    Outbox,
    ProcessInstance,
)
from app.store.models.definitions import DefinitionBundle, DefinitionVersion
from app.store.models.identities import IdentityChange
from app.store.models.messages import SmsMessage
from app.store.models.objects import DeclarationObject, PersonMove
from app.store.models.personal_accounts import AccountEntry, PaymentOrder
from app.store.models.registry import (
    ContributionLine,
    Employer,
    EmployerFund,
    Enrolment,
    EnrolmentChange,
    Person,
)
from app.store.models.runs import Run, RunResult
from app.store.models.work import BatchFile, ImportBatch, ImportRow, Lease, Material

__all__ = [
    "AccountEntry",
    "AccountEvent",
    "Adjustment",
    "AdjustmentChunk",
    "Assessment",
    "BatchFile",
    "ContributionLine",
    "Declaration",
    "DeclarationObject",
    "DefinitionBundle",
    "DefinitionVersion",
    "Effect",
    "Employer",
    "EmployerFund",
    "Enrolment",
    "EnrolmentChange",
    "Event",
    "HumanTask",
    "IdentityChange",
    "ImportBatch",
    "ImportRow",
    "Incident",
    "Lease",
    "Material",
    "Notice",
    "NoticeSerial",
    "OneTimeCode",
    "OrderPosting",
    "Outbox",
    "PaymentNotice",
    "PaymentOrder",
    "PaymentPosting",
    "Person",
    "PersonMove",
    "ProcessInstance",
    "Run",
    "RunResult",
    "SmsMessage",
    "User",
    "UserEmployer",
    "UserRole",
]
