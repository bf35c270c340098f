"""What services in front of models do: JSON, streams, events, WebSockets, uploads."""

import asyncio
import hashlib
from typing import Any, AsyncIterator, Dict

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI(title="Fixture")
app.add_middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "PUT"],
    allow_headers=["Authorization", "Content-Type"],
    max_age=0,
)
asked_for = asyncio.Semaphore(0)
left_alone = asyncio.Semaphore(0)


class Item(BaseModel):
    name: str
    price: float


@app.get("/")
async def seen(request: Request) -> Dict[str, Any]:
    """What comes of a request."""
    return {"url": str(request.url), "headers": request.headers.items()}


@app.post("/items")
@app.put("/items")
async def item(item: Item) -> Dict[str, Any]:
    return {"name": item.name, "double": item.price * 2}


@app.put("/upload")
async def upload(request: Request) -> Dict[str, Any]:
    """Reads a body as it comes; the parts' number tells that it came in parts."""
    length, parts, digest = 0, 0, hashlib.sha256()
    async for part in request.stream():
        if part:
            length, parts = length + len(part), parts + 1
            digest.update(part)
    return {"length": length, "parts": parts, "sha256": digest.hexdigest()}


@app.get("/download")
async def download(parts: int) -> StreamingResponse:
    async def all_parts() -> AsyncIterator[bytes]:
        for number in range(parts):
            yield bytes([number % 256]) * 65536

    return StreamingResponse(all_parts(), media_type="application/octet-stream")


@app.get("/endless")
async def endless() -> StreamingResponse:
    """Goes on until nobody listens any more."""

    async def on_and_on() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1024
                await asyncio.sleep(0.001)
        finally:
            left_alone.release()

    return StreamingResponse(on_and_on(), media_type="application/octet-stream")


@app.get("/left-alone")
async def was_left_alone() -> Dict[str, bool]:
    """Answers once the stream above was left alone."""
    await left_alone.acquire()
    return {"ended": True}


@app.post("/next")
async def next_event() -> None:
    asked_for.release()


@app.get("/events")
async def events() -> StreamingResponse:
    """Sends an event only when somebody asks for one at /next."""

    async def as_asked() -> AsyncIterator[str]:
        for number in range(3):
            await asked_for.acquire()
            yield f"event: step\nid: {number}\ndata: {number}\n\n"

    return StreamingResponse(as_asked(), media_type="text/event-stream")


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    """Says whose headers it saw, then what it is told; text as text, bytes as bytes."""
    await socket.accept(subprotocol="v2" if "v2" in socket.scope["subprotocols"] else None)
    await socket.send_json({"url": str(socket.url), "headers": socket.headers.items()})
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") == "bye":
                await socket.close(4001, "as you wish")
                return
            await socket.send({**message, "type": "websocket.send"})
    except WebSocketDisconnect:
        return


@app.websocket("/refused")
async def refused(socket: WebSocket) -> None:
    await socket.close()
