"""Greets by socket.io. What it knows of a client is in the memory of the replica that met it."""

import socketio

server = socketio.AsyncServer(async_mode="asgi")
app = socketio.ASGIApp(server)


@server.event
async def greet(sid: str, name: str) -> str:
    return f"Hello, {name}!"
