"""This file shows the OpenAPI document as a page at `/docs`: without script, and with nothing from another host."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

_NO_SCRIPT = "default-src 'none'; style-src 'unsafe-inline'"


def add_page(app: FastAPI) -> None:
    """Let the application answer `/docs`. The page says what `/openapi.json` says, and is written once."""
    text = files("api.openapi").joinpath("page.html.j2").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    page = template.render(document=app.openapi())

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": _NO_SCRIPT})
