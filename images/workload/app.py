"""The pod's work: a page over HTTP, and a file of log lines that tells of it.

One connection, one request, one thread: a NodePort then spreads requests over the pods, and the program starts in 20 ms of CPU.
Writing is cheap here and shipping is dear in the logger, as in real pods.

    GET /              a page; logs LINES_PER_REQUEST lines
    GET /log?lines=N   logs N lines, at most LINES_MAX: the flood
    GET /count         {"pod": ..., "written": ...}
    GET /healthz       ok
"""

# pathlib costs as much to import as the rest of this program.
# ruff: noqa: PTH118

import os
import signal
import socket
import sys
import time

import tally

LINES_PER_REQUEST = int(os.environ.get("LINES_PER_REQUEST", "20"))
"""Chosen: a page of a service that calls a few others logs some tens of lines; raise it for more backlog per request."""

LINES_MAX = 50_000
"""Chosen: 10 MB, one write of about 30 ms; more would hold up the health check."""

LINE_BYTES = 200
"""Chosen: a usual access-log line in JSON."""

HEAD_BYTES_MAX = 8192
CLIENT_TIMEOUT_S = 2.0  # chosen: one silent client may not hold up the others for longer
PORT = int(os.environ.get("PORT", "8080"))
FILLER = "served from memory; upstreams: catalog, cart, price; " * 8


class LogFile:
    """The log, appended to with one write per request, and the tally, which follows it."""

    def __init__(self) -> None:
        self.words = tally.opened()
        path = os.path.join(tally.LOG_DIR, "app.log")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.size, self.written = self._recovered()
        self._count()
        self.head = f'{{"pod": "{tally.POD}", "seq": '

    def _recovered(self) -> tuple[int, int]:
        """Size and last sequence number after a restart: the file knows best; half a line at its end is cut off."""
        size = os.fstat(self.file).st_size
        start = max(0, size - 64 * 1024)
        lines = os.pread(self.file, size - start, start)
        whole = lines.rfind(b"\n") + 1
        if start + whole < size:
            os.ftruncate(self.file, start + whole)
        if not whole:
            return 0, 0
        last = lines[lines.rfind(b"\n", 0, whole - 1) + 1 : whole]
        return start + whole, int(last.split(b'"seq": ', 1)[1].split(b",", 1)[0])

    def _count(self) -> None:
        self.words[tally.WRITTEN_BYTES] = self.size
        self.words[tally.WRITTEN_LINES] = self.written

    def log(self, count: int, message: str) -> None:
        """Append `count` lines, whole or not at all."""
        head = self.head
        tail = f', "at": {time.time():.6f}, "message": "{message} {FILLER}'[: LINE_BYTES - len(head) - 9] + '"}\n'
        text = "".join([f"{head}{seq}{tail}" for seq in range(self.written + 1, self.written + count + 1)]).encode()
        done = 0
        try:
            while done < len(text):
                done += os.write(self.file, text[done:] if done else text)
        except OSError:
            os.ftruncate(self.file, self.size)
            raise
        self.size += len(text)
        self.written += count
        self._count()


def answer(log: LogFile, target: str) -> tuple[str, str]:
    """The status line's end and the body for one request target."""
    path, _, query = target.partition("?")
    if path == "/healthz":
        return "200 OK", "ok\n"
    if path == "/count":
        return "200 OK", f'{{"pod": "{tally.POD}", "written": {log.written}}}\n'
    if path == "/":
        log.log(LINES_PER_REQUEST, "GET / 200")
        return "200 OK", f"<!doctype html><title>{tally.POD}</title><p>Served by {tally.POD} on {tally.HOST}.</p>\n"
    if path == "/log":
        count = query.removeprefix("lines=")
        if not count.isdecimal() or int(count) > LINES_MAX:
            return "400 Bad Request", f"lines must be a number up to {LINES_MAX}\n"
        log.log(int(count), "flood")
        return "200 OK", f'{{"pod": "{tally.POD}", "written": {log.written}}}\n'
    return "404 Not Found", "no such page\n"


def serve(log: LogFile, connection: socket.socket) -> None:
    """One request on one connection."""
    connection.settimeout(CLIENT_TIMEOUT_S)
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES_MAX:
        more = connection.recv(4096)
        if not more:
            return
        head += more
    words = head.split(b" ", 2)
    if len(words) < 3 or words[0] != b"GET":
        status, body = "405 Method Not Allowed", "only GET\n"
    else:
        try:
            status, body = answer(log, words[1].decode("latin-1"))
        except OSError as full:
            status, body = "507 Insufficient Storage", f"{full.strerror}\n"
    text = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    connection.sendall(text.encode())


def main() -> None:
    """Serve until told to end; an unhandled SIGTERM would be ignored, as a container's first process has no default action."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    log = LogFile()
    listener = socket.create_server(("", PORT), backlog=512)
    while True:
        connection, _ = listener.accept()
        try:
            serve(log, connection)
        except OSError as gone:
            print(f"a client left: {gone}", file=sys.stderr, flush=True)
        finally:
            connection.close()


if __name__ == "__main__":
    main()
