"""Answers on its own port with `own`, and on another, whose number it prints, with `other`; then
follow the host and the path that were asked for."""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    def __init__(self, port, name):
        self.name = name
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.server.name} {self.headers['host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


other = Server(0, "other")
print(other.server_port, flush=True)
threading.Thread(target=other.serve_forever, daemon=True).start()
Server(int(os.environ["PORT"]), "own").serve_forever()
