"""The demonstration: synthetic employers, people and accounts, the same on every installation."""

from app.services.demo.cases import DemoPerson, demo_people
from app.services.demo.load import MONTHS, PEOPLE, DemoReport, load

__all__ = ["MONTHS", "PEOPLE", "DemoPerson", "DemoReport", "demo_people", "load"]
