"""The WSGI entry point: `gunicorn wsgi:app`, and what `flask` commands load."""

from app.factory import create_app

app = create_app()
