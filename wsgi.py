"""The WSGI entry point: `gunicorn wsgi:app`, and what `flask` commands load."""

from app.cli.embedded import embedded_environment
from app.factory import create_app

embedded_environment()
app = create_app()
