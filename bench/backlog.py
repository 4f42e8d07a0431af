#!/usr/bin/env python3
"""What a backlog costs: memory, and the time a start takes until the first delivery is sent.

    bench/backlog.py [--events 1000000] [--connections 64] [--grapnel FILE]

One action whose endpoint never answers, so that its deliveries wait. wrk sends until there are so
many. Then the process is ended by SIGKILL, and after that by SIGTERM, each time to be started
beside an endpoint that answers: the seconds from its start to the first request there.
"""

import socket
import threading
import time

from measure import arguments, harness, parse, resident_mib, wrk

SECONDS = 5
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Endpoint:
    """Takes connections and never answers; after answer_next() it answers one request."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.peers = []
        self.answered = None
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.listener.accept()
            self.peers.append(peer)
            if self.answered is not None and not self.answered.is_set():
                peer.recv(65536)
                peer.sendall(ANSWER)
                self.answered.set()

    def answer_next(self):
        """An event that is set when that has happened."""
        self.answered = threading.Event()
        return self.answered


def waiting(grapnel):
    metrics = grapnel.metrics()
    states = ("pending", "running", "retrying")
    return sum(metrics.get(f'deliveries_open{{state="{state}"}}', 0) for state in states)


def start_again(grapnel, endpoint, after):
    answered = endpoint.answer_next()
    began = time.monotonic()
    grapnel.start(wait=False)
    assert answered.wait(120), "nothing was sent"
    sent = time.monotonic() - began
    grapnel.wait_ready()
    print(
        f"start after {after}: {sent:.2f} s until the first delivery was sent, rss"
        f" {resident_mib(grapnel.process.pid):.0f} MiB, {waiting(grapnel):.0f} open",
        flush=True,
    )


def main():
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=64)
    args = parse(parser)
    endpoint = Endpoint()
    with harness.Grapnel(config="shutdown:\n  drain: 6s\n") as grapnel:
        grapnel.source("bench")
        grapnel.action("bench", endpoint.url)
        print(f"idle: rss {resident_mib(grapnel.process.pid):.0f} MiB", flush=True)
        sent = 0
        while sent < args.events:
            load = wrk(f"http://{grapnel.api_address}/webhooks/bench", args.connections, SECONDS)
            sent += load.requests - load.refused
            print(
                f"{sent:9} accepted, nothing delivered: rss"
                f" {resident_mib(grapnel.process.pid):.0f} MiB",
                flush=True,
            )
        grapnel.kill()
        start_again(grapnel, endpoint, "SIGKILL")
        grapnel.terminate()
        start_again(grapnel, endpoint, "SIGTERM")


if __name__ == "__main__":
    main()
