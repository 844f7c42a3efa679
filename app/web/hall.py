"""The employer's home."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.web.security import guard

hall = Blueprint("hall", __name__)


@hall.get("/hall")
@guard("hall.view", scope="employer")
def home() -> ResponseReturnValue:
    return render_template("hall/home.html")
