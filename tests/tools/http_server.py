"""A web server on 127.0.0.1 that serves one file and misbehaves as told, a fault per request.

What a client should make of it is left to the tests.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Fault:
    """How one answer differs from a good server's."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # bytes of the body, then the connection is closed
    finish: bool = False  # a cut body in chunks ends as if it were whole
    stall_after: int | None = None  # bytes of the body, then nothing comes
    trickle: bool = False  # one byte at a time
    ignore_range: bool = False
    chunked: bool = False  # no Content-Length
    corrupt: bool = False  # one byte is another
    content: bytes | None = None  # another version of the file
    etag: str | None = '"one"'


@dataclass
class Server:
    """`faults` are used up one a request; after the last, `Fault()` serves well."""

    content: bytes
    faults: list[Fault] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)  # the Range header of each request
    conditions: list[str | None] = field(default_factory=list)  # its If-Range header
    sent: int = 0  # bytes of bodies
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve(content: bytes, *faults: Fault) -> Iterator[Server]:
    """Serves `content` until the `with` ends."""
    server = Server(content, list(faults))
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{http.server_port}/file.zip"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        http.shutdown()
        http.server_close()
        thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args) -> None:
            pass

        def do_GET(self) -> None:
            server.ranges.append(self.headers.get("Range"))
            server.conditions.append(self.headers.get("If-Range"))
            fault = server.faults.pop(0) if server.faults else Fault()
            self.close_connection = True
            if fault.status:
                self._answer(fault, fault.status, b"", {"Content-Length": "0"})
                return
            content = fault.content if fault.content is not None else server.content
            start = self._start(fault, len(content))
            if start is not None and start >= len(content):
                self._answer(fault, 416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            body = content[start or 0 :]
            headers = {} if fault.chunked else {"Content-Length": str(len(body))}
            if start is not None:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._answer(fault, 200 if start is None else 206, body, headers)

        def _start(self, fault: Fault, size: int) -> int | None:
            """Where to begin, or None for the whole file: no Range, or If-Range names another version."""
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if not found or fault.ignore_range or self.headers.get("If-Range", fault.etag) != fault.etag:
                return None
            return int(found[1])

        def _answer(self, fault: Fault, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            etag = {"ETag": fault.etag} if fault.etag else {}
            chunked = {"Transfer-Encoding": "chunked"} if fault.chunked else {}
            for name, value in (etag | chunked | headers | fault.headers | {"Connection": "close"}).items():
                self.send_header(name, value)
            self.end_headers()
            self._send(fault, bytes([body[0] ^ 1]) + body[1:] if fault.corrupt else body)

        def _send(self, fault: Fault, body: bytes) -> None:
            write = self._write_chunk if fault.chunked else self._write
            if fault.trickle:
                for value in body:
                    if server.released.wait(0.01) or not write(bytes([value])):
                        return
            end = fault.cut_after if fault.cut_after is not None else fault.stall_after
            write(body[:end])
            if fault.stall_after is not None:
                server.released.wait(10)
            elif fault.chunked and (end is None or fault.finish):
                self.wfile.write(b"0\r\n\r\n")

        def _write(self, data: bytes) -> bool:
            try:
                self.wfile.write(data)
                self.wfile.flush()
            except OSError:  # the client has left
                return False
            server.sent += len(data)
            return True

        def _write_chunk(self, data: bytes) -> bool:
            self._write(b"%x\r\n" % len(data))
            done = self._write(data)
            self._write(b"\r\n")
            return done

    return Handler
