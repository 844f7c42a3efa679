"""The people and journeys of the services' tests act here too."""

from tests.services.conftest import auditor, in_context, nantong, now, person, returned, submitted

__all__ = ["auditor", "in_context", "nantong", "now", "person", "returned", "submitted"]
