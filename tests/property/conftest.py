"""The fixtures of the services' tests, for the sequences."""

from tests.services.conftest import in_context, now, person

__all__ = ["in_context", "now", "person"]
