"""Switches to the protocol `echo`, and sends back what comes in upper case. Other requests are
redirected to /there at the host that they name."""

import os
import sys
from socketserver import StreamRequestHandler, ThreadingTCPServer


class Handler(StreamRequestHandler):
    def handle(self):
        headers = {}
        while (line := self.rfile.readline()) != b"\r\n":
            if not line:
                return
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        if headers.get(b"upgrade") == b"echo":
            self.echo()
        else:
            self.wfile.write(
                b"HTTP/1.1 302 Found\r\nlocation: http://%s/there\r\n"
                b"content-length: 0\r\nconnection: close\r\n\r\n" % headers[b"host"]
            )

    def echo(self):
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
        )
        while data := self.request.recv(1000):
            self.wfile.write(data.upper())


class Server(ThreadingTCPServer):
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
