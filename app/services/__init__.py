"""Use cases: each is one transaction; edges call these and nothing below."""
