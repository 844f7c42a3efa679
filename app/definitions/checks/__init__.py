"""What must hold of a set of definition files: the same code for the build, the command and publishing."""

from app.definitions.checks.everything import check_files
from app.definitions.checks.problem import Problem, ServiceTable

__all__ = ["Problem", "ServiceTable", "check_files"]
