"""Makes bodies of the length that the path ends with, and counts those that it receives, without
keeping any of it. /chunked/... is sent in chunks."""

import os
import socket
import threading

PIECE = b"x" * (1 << 18)


def head_of(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            return None
        head += byte
    return head


def receive(stream, size):
    received, room = 0, bytearray(len(PIECE))
    while received < size:
        count = stream.recv_into(room)
        if not count:
            return
        received += count
    stream.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nall")


def send(stream, size, is_chunked):
    framing = b"transfer-encoding: chunked" if is_chunked else b"content-length: %d" % size
    stream.sendall(b"HTTP/1.1 200 OK\r\n%s\r\n\r\n" % framing)
    for _ in range(size // len(PIECE)):
        stream.sendall(b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if is_chunked else PIECE)
    if is_chunked:
        stream.sendall(b"0\r\n\r\n")


def serve(stream):
    try:
        while head := head_of(stream):
            method, target, _ = head.split(b" ", 2)
            size = int(target.rpartition(b"/")[2] or 0)
            if method == b"POST":
                receive(stream, size)
            else:
                send(stream, size, target.startswith(b"/chunked"))
    except ConnectionError:
        # The client left.
        pass


listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
