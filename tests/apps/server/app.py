"""A small HTTP server. Its options are what tests need of an app that is a local process."""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOREVER = "while :; do sleep 0.1; done"


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, help="listen here instead of on $PORT")
    parser.add_argument("--also", type=int, help="listen on this port, too")
    parser.add_argument("--also-when", nargs=2, metavar=("FILE", "PORT"), help="listen on PORT, too, once FILE exists")
    parser.add_argument("--close-when", metavar="FILE", help="stop listening once FILE exists, and keep running")
    parser.add_argument("--body", default="from python")
    parser.add_argument("--body-of", metavar="NAME", help="answer with this variable's value")
    parser.add_argument("--body-port", action="store_true", help="answer with the port that was asked")
    parser.add_argument("--keep-alive", action="store_true", help="speak HTTP/1.1")
    parser.add_argument("--post-takes", type=float, default=0, metavar="SECONDS", help="time before a POST is answered")
    parser.add_argument("--greet", action="store_true", help="print $GREETING, the directory and $OVHAI_TOKEN")
    parser.add_argument("--without-grpc", action="store_true", help="fail if $GRPC_PORT is set")
    parser.add_argument("--grpc", metavar="PORT", help="listen on this port, too; 'environment' is $GRPC_PORT")
    parser.add_argument("--ignore-sigterm", action="store_true")
    parser.add_argument("--mark", help="a word by which ps finds this process")
    parser.add_argument("--family", metavar="MARK", help="start a child that ignores SIGTERM, and one that leaves the session")
    parser.add_argument("--relatives", metavar="MARK", help="start a child that leaves the session, and one without environment")
    return parser.parse_args()


OPTIONS = parse()
CROWD = threading.Barrier(50)


class Handler(BaseHTTPRequestHandler):
    if OPTIONS.keep_alive:
        protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"data: x\n\n")
                time.sleep(0.05)
        if self.path == "/all":
            # Answered once 50 requests have arrived.
            CROWD.wait()
        self.answer()

    def do_POST(self):
        if self.path == "/die":
            print("last words", flush=True)
            os._exit(3)
        self.rfile.read(int(self.headers["content-length"]))
        time.sleep(OPTIONS.post_takes)
        self.answer()

    def answer(self):
        body = OPTIONS.body
        if OPTIONS.body_of:
            body = os.environ.get(OPTIONS.body_of, "unset")
        if OPTIONS.body_port:
            body = str(self.server.server_port)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 100

    def handle_error(self, request, client_address):
        # Probes and clients may leave before they are answered; tests compare the app's output.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def listen(port):
    server = Server(("127.0.0.1", int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def wait_for(file):
    while not os.path.exists(file):
        time.sleep(0.01)


if OPTIONS.ignore_sigterm:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if OPTIONS.greet:
    print(os.environ["GREETING"], os.getcwd(), os.environ.get("OVHAI_TOKEN"), flush=True)
    print("to stderr", file=sys.stderr, flush=True)
if OPTIONS.without_grpc:
    assert "GRPC_PORT" not in os.environ
if OPTIONS.family:
    subprocess.Popen(["sh", "-c", f"trap '' TERM; {FOREVER}", f"{OPTIONS.family}-child"])
    subprocess.Popen(["setsid", "sh", "-c", FOREVER, f"{OPTIONS.family}-daemon"])
if OPTIONS.relatives:
    subprocess.Popen(["setsid", "sh", "-c", FOREVER, f"{OPTIONS.relatives}-daemon"])
    subprocess.Popen(["env", "-i", "sh", "-c", FOREVER, f"{OPTIONS.relatives}-bare"])
if OPTIONS.also:
    listen(OPTIONS.also)
if OPTIONS.grpc:
    listen(os.environ["GRPC_PORT"] if OPTIONS.grpc == "environment" else OPTIONS.grpc)

own = listen(OPTIONS.port or os.environ["PORT"])
if OPTIONS.close_when:
    wait_for(OPTIONS.close_when)
    own.shutdown()
    own.server_close()
if OPTIONS.also_when:
    file, port = OPTIONS.also_when
    wait_for(file)
    listen(port)
threading.Event().wait()
