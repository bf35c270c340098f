"""`python -m ovhai_emulator.serve [--factory] MODULE:CALLABLE PORT`: serves a WSGI or ASGI callable.

WSGI is served with the standard library, ASGI with uvicorn.
"""

from __future__ import annotations

import importlib
import inspect
import socketserver
import sys
from typing import Any, List
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

_HOST = "127.0.0.1"


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        # HTTPServer would look up the host's name, which takes seconds where DNS does not answer.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]
        self.setup_environ()


def load(target: str) -> Any:
    """The object that an import path names; `app` if it names a module only."""
    module, _, attribute = target.partition(":")
    found: Any = importlib.import_module(module)
    for name in (attribute or "app").split("."):
        found = getattr(found, name)
    return found


def is_asgi(callable_: Any) -> bool:
    """Whether it takes scope, receive and send, instead of environ and start_response."""
    call = getattr(callable_, "__call__", None)
    return inspect.iscoroutinefunction(callable_) or inspect.iscoroutinefunction(call)


def main(arguments: List[str]) -> int:
    """Serves until the process ends."""
    is_factory = arguments[:1] == ["--factory"]
    rest = arguments[1:] if is_factory else arguments
    if len(rest) != 2 or not rest[1].isdigit():
        print(__doc__.strip().splitlines()[0], file=sys.stderr)
        return 2
    callable_, port = load(rest[0]), int(rest[1])
    if is_factory:
        callable_ = callable_()
    if not is_asgi(callable_):
        with make_server(_HOST, port, callable_, _Server, WSGIRequestHandler) as server:
            server.serve_forever()
        return 0
    try:
        uvicorn = importlib.import_module("uvicorn")
    except ImportError:
        print(f"{rest[0]} is an ASGI app, and uvicorn is missing: pip install uvicorn", file=sys.stderr)
        return 1
    uvicorn.run(callable_, host=_HOST, port=port)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
