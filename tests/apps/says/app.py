"""Answers every method with the value of SAYS, or with the content of a file; exits at POST /die."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAYS = (open(sys.argv[1]).read() if len(sys.argv) > 1 else os.environ["SAYS"]).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        if self.command == "POST" and self.path == "/die":
            os._exit(3)
        self.rfile.read(int(self.headers.get("content-length") or 0))
        # In one piece: a client sees all of the answer or nothing.
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(SAYS)
        self.wfile.write(head + (b"" if self.command == "HEAD" else SAYS))

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 100

    def handle_error(self, request, client_address):
        # Probes and clients may leave before they are answered.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
