"""A WSGI app, its factory, and one that never serves."""

from typing import Any, Callable, Iterable


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}".encode()]


def make() -> Callable[..., Iterable[bytes]]:
    return app


def broken() -> Callable[..., Iterable[bytes]]:
    raise RuntimeError("no database")
