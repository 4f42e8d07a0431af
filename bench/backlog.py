#!/usr/bin/env python3
"""What a backlog costs: memory, and the time a start takes until the first delivery is sent.

    bench/backlog.py [--events 1000000] [--connections 64] [--grapnel FILE]

One action whose endpoint never answers, so that its deliveries wait. wrk sends until there are so
many. Then the process is ended by SIGKILL, and after that by SIGTERM, each time to be started
beside an endpoint that answers: the seconds from its start to the first request there.
"""

import argparse
import pathlib
import socket
import sys
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "functional"))
import grapnel as harness  # noqa: E402
from relay import resident_mib, wrk  # noqa: E402

SECONDS = 5
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Endpoint:
    """Takes connections and never answers; from `first` on it answers the first request of each."""

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

    def first(self):
        self.answered = threading.Event()
        return self.answered


def waiting(grapnel):
    metrics = grapnel.metrics()
    states = ("pending", "running", "retrying")
    return sum(metrics.get(f'deliveries_open{{state="{state}"}}', 0) for state in states)


def start_again(grapnel, endpoint, how):
    first = endpoint.first()
    began = time.monotonic()
    grapnel.start(wait=False)
    assert first.wait(120), "nothing was sent"
    sent = time.monotonic() - began
    grapnel.wait_ready()
    open_now = waiting(grapnel)
    print(
        f"start after {how}: {sent:.2f} s until the first delivery was sent, rss"
        f" {resident_mib(grapnel.process.pid):.0f} MiB, {open_now:.0f} open",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--grapnel", default=str(HERE.parent / "build" / "grapnel"))
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=64)
    args = parser.parse_args()
    harness.BINARY = args.grapnel
    endpoint = Endpoint()
    with harness.Grapnel(config="shutdown:\n  drain: 6s\n") as grapnel:
        grapnel.source("bench")
        grapnel.action("bench", endpoint.url)
        print(f"idle: rss {resident_mib(grapnel.process.pid):.0f} MiB", flush=True)
        events = 0
        while events < args.events:
            events += (
                wrk(f"http://{grapnel.api_address}/webhooks/bench", args.connections, SECONDS)[0]
                * SECONDS
            )
            print(
                f"{events:9.0f} waiting: rss {resident_mib(grapnel.process.pid):.0f} MiB",
                flush=True,
            )
        grapnel.kill()
        start_again(grapnel, endpoint, "SIGKILL")
        grapnel.terminate()
        start_again(grapnel, endpoint, "SIGTERM")


if __name__ == "__main__":
    main()
