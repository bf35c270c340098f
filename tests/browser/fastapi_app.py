"""FastAPI with uvicorn behind the gateway: programs with a bearer, pages of its own and of others.

Given: `app` and `secure` (its address over HTTP and HTTPS), `token`, `other` (the address of an app
that is open to everybody).
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import socket
from typing import Any, Dict, Iterator, List, Optional
from urllib.parse import urlsplit

import websocket

from harness import (
    PATIENCE_SECONDS,
    Api,
    Mismatch,
    Page,
    browser,
    expect,
    expect_equal,
    given,
    log_in_with_token,
    run,
)

MIB = 1024 * 1024
UPLOAD = 64 * MIB


def host() -> str:
    return urlsplit(given()["app"]).netloc


def bearer() -> Dict[str, str]:
    return {"Host": host(), "Authorization": f"Bearer {given()['token']}"}


def address() -> List[str]:
    return given()["address"].split(":")


@contextlib.contextmanager
def connection() -> Iterator[http.client.HTTPConnection]:
    name, port = address()
    opened = http.client.HTTPConnection(name, int(port), timeout=PATIENCE_SECONDS)
    try:
        yield opened
    finally:
        opened.close()


def call(
    opened: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> Dict[str, Any]:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    opened.request(method, path, body, {**bearer(), **more})
    answer = opened.getresponse()
    content = answer.read()
    expect_equal(answer.status, 200, f"{method} {path}: {content[:200]!r}")
    return json.loads(content)


def plain_calls() -> None:
    with connection() as c:
        seen = call(c, "GET", "/?a=%2F&b=%20")
        expect_equal(seen["url"], f"http://{host()}/?a=%2F&b=%20", "the URL that the app sees")
        headers = dict(seen["headers"])
        expect("authorization" not in headers, f"the token is not for the app: {headers}")
        expect_equal(headers["x-forwarded-host"], host(), "forwarded host")
        item = call(
            c, "POST", "/items", '{"name": "a", "price": 2.5}', content_type="application/json"
        )
        expect_equal(item, {"name": "a", "double": 5.0}, "the answer to a POST")
        c.request("POST", "/items", "rubbish", bearer())
        refused = c.getresponse()
        expect_equal(refused.status, 422, "the app's own refusal")
        expect_equal(json.loads(refused.read())["detail"][0]["loc"], ["body"], "its body")


def blocks() -> Iterator[bytes]:
    for _ in range(UPLOAD // MIB):
        yield bytes(range(256)) * (MIB // 256)


def digest_of_upload() -> str:
    digest = hashlib.sha256()
    for block in blocks():
        digest.update(block)
    return digest.hexdigest()


def bodies() -> None:
    digest = digest_of_upload()
    with connection() as c:
        for how in ({"content_length": str(UPLOAD)}, {"transfer_encoding": "chunked"}):
            # http.client puts an iterable into chunks only when it is told so.
            more = {name.replace("_", "-"): value for name, value in how.items()}
            chunked = "transfer_encoding" in how
            c.request("PUT", "/upload", blocks(), {**bearer(), **more}, encode_chunked=chunked)
            answer = c.getresponse()
            said = json.loads(answer.read())
            expect_equal(said["length"], UPLOAD, f"length of the upload, {how}")
            expect_equal(said["sha256"], digest, f"content of the upload, {how}")
            expect(said["parts"] > 64, f"it came in parts: {said}")
        c.request("GET", "/download?parts=300", headers=bearer())
        answer = c.getresponse()
        expect_equal(answer.getheader("transfer-encoding"), "chunked", "the stream's framing")
        wanted, got = hashlib.sha256(), hashlib.sha256()
        for number in range(300):
            wanted.update(bytes([number % 256]) * 65536)
        while part := answer.read(MIB):
            got.update(part)
        expect_equal(got.hexdigest(), wanted.hexdigest(), "the stream's content")
        # The connection is as good as before.
        call(c, "GET", "/")


def open_socket(path: str, token: Optional[str], **more: Any) -> websocket.WebSocket:
    # By its address: not every machine knows all names under .localhost.
    name, port = address()
    stream = socket.create_connection((name, int(port)), timeout=PATIENCE_SECONDS)
    header = [] if token is None else [f"Authorization: Bearer {token}"]
    try:
        return websocket.create_connection(
            f"ws://{host()}{path}", socket=stream, header=header, timeout=PATIENCE_SECONDS, **more
        )
    except BaseException:
        stream.close()
        raise


def sockets() -> None:
    opened = open_socket("/echo?a=%2F", given()["token"], subprotocols=["v1", "v2"])
    expect_equal(opened.getsubprotocol(), "v2", "the protocol that the app chose")
    seen = json.loads(opened.recv())
    expect_equal(seen["url"], f"ws://{host()}/echo?a=%2F", "the URL that the app sees")
    expect("authorization" not in dict(seen["headers"]), f"not for the app: {seen}")
    for text in ("x", "ü" * 30000, ""):
        opened.send(text)
        expect_equal(opened.recv(), text, "an echo")
    block = bytes(range(256)) * 4000
    opened.send_binary(block)
    expect(opened.recv() == block, "an echo of bytes")
    opened.ping("p")
    opcode, frame = opened.recv_data_frame(control_frame=True)
    expect_equal((opcode, frame.data), (websocket.ABNF.OPCODE_PONG, b"p"), "a pong")
    opened.send("bye")
    opcode, data = opened.recv_data()
    expect_equal((opcode, data), (websocket.ABNF.OPCODE_CLOSE, b"\x0f\xa1as you wish"), "the end")
    opened.close()

    for path, token, status in (
        ("/refused", given()["token"], 403),
        ("/nowhere", given()["token"], 403),
        ("/echo", None, 401),
        ("/echo", "rubbish", 401),
    ):
        try:
            open_socket(path, token)
        except websocket.WebSocketBadStatusException as error:
            expect_equal(error.status_code, status, f"{path} with the token {token}")
        else:
            raise Mismatch(f"{path} with the token {token} is let in")


SOCKET = """
const socket = new WebSocket(arguments[0]);
const events = [];
const next = () => new Promise(resolve => { socket.onmessage = e => resolve(e.data); });
return await new Promise(resolve => {
  socket.onerror = () => events.push('error');
  socket.onclose = e => resolve([...events, e.code]);
  socket.onopen = async () => {
    await next();
    socket.send('x');
    events.push(await next());
    socket.send('bye');
  };
});
"""

EVENTS = """
const events = new EventSource('/events'), seen = [];
const ask = () => fetch('/next', {method: 'POST'});
return await new Promise((resolve, reject) => {
  events.onopen = ask;
  events.onerror = () => reject(new Error(`after ${seen}`));
  events.addEventListener('step', e => {
    seen.push(`${e.lastEventId}:${e.data}`);
    if (seen.length < 3) { ask(); } else { events.close(); resolve(seen); }
  });
});
"""


UPLOAD_SCRIPT = """
const block = Uint8Array.from({length: 1 << 20}, (_, i) => i % 256);
const body = new Blob(Array(arguments[0]).fill(block));
return await (await fetch('/upload', {method: 'PUT', body})).json();
"""

DOWNLOAD = """
const reader = (await fetch(`/download?parts=${arguments[0]}`)).body.getReader();
let at = 0, wrong = 0;
for (;;) {
  const {done, value} = await reader.read();
  if (done) return [at, wrong];
  for (let i = 0; i < value.length; i += 4096) {
    if (value[i] !== ((at + i) >> 16) % 256) wrong++;
  }
  at += value.length;
}
"""

LEAVES = """
const leave = new AbortController();
const answer = await fetch('/endless', {signal: leave.signal});
const {value} = await answer.body.getReader().read();
leave.abort();
return [value.length > 0, await (await fetch('/left-alone')).json()];
"""

COOKIES = """
for (let i = 0; i < 12; i++) document.cookie = `c${i}=${'x'.repeat(4000)}; path=/`;
const {headers} = await (await fetch('/?cookies')).json();
return headers.filter(([name]) => name === 'cookie').map(([, value]) => value);
"""


MANY = """
const answers = await Promise.all(Array.from({length: 300}, (_, i) => fetch(`/?i=${i}`)));
const seen = await Promise.all(answers.map(answer => answer.json()));
return seen.filter(({url}, i) => url === `${location.origin}/?i=${i}`).length;
"""

OPENS = """
const socket = new WebSocket(arguments[0]);
window.socketClosed = new Promise(resolve => { socket.onclose = e => resolve(e.code); });
await new Promise((resolve, reject) => { socket.onmessage = resolve; socket.onerror = reject; });
socket.send('still there?');
return await new Promise(resolve => { socket.onmessage = e => resolve(e.data); });
"""


def expect_its_pages(page: Page, at: str, spoken: str) -> None:
    page.get(at + "/docs")
    log_in_with_token(page, given()["token"])
    expect_equal(page.title, "Fixture - Swagger UI", "title of its documentation")
    expect("url: '/openapi.json'" in page.driver.page_source, "the document's address")
    paths = page.script("return Object.keys((await (await fetch('/openapi.json')).json()).paths)")
    expect("/items" in paths, f"paths of the document: {paths}")
    protocol = page.script("return performance.getEntriesByType('navigation')[0].nextHopProtocol")
    expect_equal(protocol, spoken, "what the page came over")
    # Each event is sent when the one before has come.
    expect_equal(page.script(EVENTS), ["0:0", "1:1", "2:2"], "events")
    ws = at.replace("http", "ws", 1)
    expect_equal(page.script(SOCKET, ws + "/echo"), ["x", 4001], "a WebSocket")
    expect_equal(page.script(SOCKET, ws + "/refused"), ["error", 1006], "one that is refused")
    said = page.script(UPLOAD_SCRIPT, UPLOAD // MIB)
    expect_equal([said["length"], said["sha256"]], [UPLOAD, digest_of_upload()], "an upload")
    expect_equal(page.script(DOWNLOAD, 300), [300 * 65536, 0], "a stream and what is wrong in it")
    expect_equal(page.script(LEAVES), [True, {"ended": True}], "a stream that is left")
    expect_equal(page.script(MANY), 300, "answers to calls at the same time")
    cookies = page.script(COOKIES)
    wanted = "; ".join(f"c{number}={'x' * 4000}" for number in range(12))
    expect(cookies == [wanted], f"cookies: {[cookie[:20] for cookie in cookies]}")


def its_own_pages() -> None:
    with browser() as page:
        expect_its_pages(page, given()["app"], "http/1.1")


def its_own_pages_over_https() -> None:
    with browser() as page:
        expect_its_pages(page, given()["secure"], "h2")


def access_ends() -> None:
    spec = {"name": "renewed", "role": "read", "labelSelector": "framework=fastapi"}
    token = Api().call("POST", "/regions/GRA/v1/token", spec)
    with browser() as page:
        page.get(given()["app"] + "/docs")
        log_in_with_token(page, token["status"]["value"])
        said = page.script(OPENS, f"ws://{host()}/echo")
        expect_equal(said, "still there?", "an echo while there is access")
        Api().call("POST", f"/regions/GRA/v1/token/{token['id']}/renew")
        expect_equal(page.script("return await window.socketClosed"), 1006, "how the WebSocket ends")
        expect_equal(fetched(page, given()["app"] + "/")[0], 401, "a call afterwards")
        said = page.script(SOCKET, f"ws://{host()}/echo")
        expect_equal(said, ["error", 1006], "a WebSocket afterwards")


def fetched(page: Page, url: str, **options: Any) -> Any:
    return page.script(
        "const answer = await fetch(arguments[0], arguments[1]);"
        "return [answer.status, await answer.json()]",
        url,
        options,
    )


def expect_others_may(page: Page, at: str) -> None:
    token = given()["token"]

    def put(bearer: str, method: str = "PUT") -> Any:
        headers = {"content-type": "application/json", "Authorization": f"Bearer {bearer}"}
        body = '{"name": "a", "price": 1}'
        return fetched(page, at + "/items", method=method, headers=headers, body=body)

    expect_equal(put(token), [200, {"name": "a", "double": 2.0}], "a call with a preflight")
    status, body = put("rubbish")
    expect_equal(status, 401, "with a bad token")
    expect("not valid" in body["message"], f"what the page may read: {body}")
    status, body = fetched(page, at + "/")
    expect_equal(status, 401, "without a token")
    expect_equal(body["message"], "authentication is required", "what the page may read")
    try:
        put(token, "DELETE")
    except Mismatch as error:
        expect("Failed to fetch" in str(error), f"what the app does not allow: {error}")
    else:
        raise Mismatch("a method passes that the app does not allow to others")


def pages_of_others() -> None:
    with browser() as page:
        page.get(given()["other"])
        expect_others_may(page, given()["app"])
        expect_others_may(page, given()["secure"])


if __name__ == "__main__":
    run(
        plain_calls,
        bodies,
        sockets,
        its_own_pages,
        its_own_pages_over_https,
        access_ends,
        pages_of_others,
    )
