"""Keeps WATCHES blocking queries for the instances of the app open at the pod's own agent, and throws the answers away.

The agent asks a server for each of them; Consul 1.2 shares none. A query returns when the service has changed, and is asked again at once.
Source: Consul's API, "Blocking Queries" (index, wait; the index is to be begun anew when it goes back).
"""

import os
import signal
import socket
import threading
import time

AGENT = ("127.0.0.1", int(os.environ.get("AGENT_PORT", "8500")))
WAIT_S = 300  # Consul's own default; 700 queries of 60 s ended together each minute, and that alone made the servers slow at rest
LATE_S = WAIT_S + WAIT_S / 16 + 20  # the server adds up to a sixteenth of the wait; the rest is chosen, for an agent that is starved
PAUSE_S = 1.0  # chosen: after an error; an agent that is not up yet is asked again as often as a person would look
BUFFER = bytearray(64 * 1024)
"""One for all: nobody reads it."""


def ask(index: int) -> int:
    """One query; the index to go on from."""
    text = f"GET /v1/health/service/app?index={index}&wait={WAIT_S}s HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n"
    with socket.create_connection(AGENT, timeout=LATE_S) as line:
        line.sendall(text.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = line.recv(4096)
            if not more:
                raise ConnectionError("no answer")
            head += more
        while line.recv_into(BUFFER):
            pass
    status, *fields = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    if " 200 " not in status:
        raise ConnectionError(status)
    named = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    later = int(named["x-consul-index"])
    return later if later >= index else 0


def watch() -> None:
    """Ask for ever; an error begins anew, a second later."""
    index = 0
    while True:
        try:
            index = ask(index)
        except OSError:
            index = 0
            time.sleep(PAUSE_S)


def main() -> None:
    """Until told to end; an unhandled SIGTERM would be ignored, as a container's first process has no default action."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for _ in range(int(os.environ["WATCHES"]) - 1):
        threading.Thread(target=watch, daemon=True).start()
    watch()


if __name__ == "__main__":
    main()
