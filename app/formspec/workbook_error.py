"""The refusal of a whole workbook, in words that name the cell or the limit."""

from __future__ import annotations

from typing import Any

from app.errors import WangtingError
from app.formspec.messages import WORKBOOK_MESSAGES


class WorkbookError(WangtingError):
    """A file that cannot be read as it is: a stable code, the words, and the cell where there is one."""

    def __init__(self, code: str, cell: str = "", **params: Any) -> None:
        self.code = code
        self.cell = cell
        self.params = params
        self.message = WORKBOOK_MESSAGES[code].format(cell=cell, **params)
        super().__init__(self.message)
