#!/usr/bin/env python3
"""Good senders beside hostile ones, on this machine's loopback: what of their rate they keep.

    bench/floods.py [--seconds 8] [--rate 500] [--grapnel FILE] [NAME ...]

Eight good senders post 1 KiB over connections of their own, together at --rate a second; they are
measured alone, and then beside each flood:

    slow-heads    1,000 connections that send one byte of a head a second
    slow-bodies   500 connections that announce 1 MiB and send one byte of it a second
    connections   connections opened and closed at once, as fast as one process can
    heads         heads that never end, one connection after the other, as fast as one process can
    idle          more connections at rest than the server takes (its bound is set to 300)

Prints their rate, its share of the rate alone, their slowest answers, and the process's memory.
The exit code is 1 when a flood took more than a tenth of their rate.
"""

import asyncio
import http.client
import multiprocessing
import statistics
import sys
import threading
import time

from measure import arguments, harness, parse, resident_mib

SENDERS = 8
BODY = b'{"type":"bench","data":"' + b"x" * 998 + b'"}'
CONFIG = "limits: {connections: 3000}\n"


class Senders:
    """Good senders: what they got within `seconds`, at most `rate` a second together."""

    def __init__(self, address, rate, seconds):
        self.latencies = []
        self.failed = 0
        self._lock = threading.Lock()
        self._address, self._rate, self._seconds = address, rate, seconds

    def run(self):
        began = time.monotonic()
        threads = [threading.Thread(target=self._send, args=(began,)) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(self.latencies) / (time.monotonic() - began)

    def _send(self, began):
        host, port = self._address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        latencies, failed, sent = [], 0, 0
        while True:
            due = began + sent * SENDERS / self._rate
            if due > began + self._seconds:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            sent += 1
            asked = time.monotonic()
            try:
                connection.request("POST", "/webhooks/good", body=BODY)
                good = connection.getresponse()
                good.read()
                if good.status == 202:
                    latencies.append(time.monotonic() - asked)
                else:
                    failed += 1
            except (OSError, http.client.HTTPException):
                failed += 1
                connection.close()
        connection.close()
        with self._lock:
            self.latencies += latencies
            self.failed += failed


async def hold(address, begin, drip, pause):
    """A connection that sends `begin`, then `drip` again and again; opened anew when it is cut."""
    host, port = address.rsplit(":", 1)
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(begin)
            while True:
                await asyncio.sleep(pause)
                if drip:
                    writer.write(drip)
                    await writer.drain()
        except OSError:
            await asyncio.sleep(pause)


async def hold_many(address, count, begin, drip, pause=1.0):
    await asyncio.gather(*(hold(address, begin, drip, pause) for _ in range(count)))


async def slow_heads(address):
    await hold_many(address, 1000, b"POST /webhooks/good HTTP/1.1\r\nHost: a\r\nX-A: ", b"a")


async def slow_bodies(address):
    head = b"POST /webhooks/good HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n"
    await hold_many(address, 500, head, b"x")


async def idle(address):
    await hold_many(address, 400, b"", b"")


async def connections(address):
    host, port = address.rsplit(":", 1)

    async def one():
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
                writer.transport.abort()
            except OSError:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(one() for _ in range(50)))


async def heads(address):
    host, port = address.rsplit(":", 1)
    line = b"X-Flood: " + b"y" * 1000 + b"\r\n"

    async def one():
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
                writer.write(b"POST /webhooks/good HTTP/1.1\r\nHost: a\r\n")
                for _ in range(1024):
                    writer.write(line)
                    await writer.drain()
                writer.transport.abort()
            except OSError:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(one() for _ in range(20)))


FLOODS = {
    "slow-heads": (slow_heads, CONFIG),
    "slow-bodies": (slow_bodies, CONFIG),
    "connections": (connections, CONFIG),
    "heads": (heads, CONFIG),
    "idle": (idle, "limits: {connections: 300}\n"),
}


def flood(name, address):
    asyncio.run(FLOODS[name][0](address))


def measure(args, name, config):
    """(rate, whole line) of good senders, beside the flood of that name or alone."""
    with harness.Grapnel(config=config) as grapnel:
        grapnel.source("good")
        before = peak = resident_mib(grapnel.process.pid)
        hostile = None
        if name in FLOODS:
            hostile = multiprocessing.Process(
                target=flood, args=(name, grapnel.api_address), daemon=True
            )
            hostile.start()
            time.sleep(2)
        done = threading.Event()

        def watch():
            nonlocal peak
            while not done.wait(0.1):
                peak = max(peak, resident_mib(grapnel.process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        senders = Senders(grapnel.api_address, args.rate, args.seconds)
        try:
            rate = senders.run()
        finally:
            done.set()
            watcher.join()
            if hostile:
                hostile.kill()
                hostile.join()
        if not senders.latencies:
            return 0.0, f"no answer, failed {senders.failed}"
        cuts = statistics.quantiles(senders.latencies, n=100)
        return rate, (
            f"{rate:7.1f}/s  p50 {cuts[49] * 1e3:6.2f} ms  p99 {cuts[98] * 1e3:7.2f} ms  "
            f"failed {senders.failed}  rss {before:.0f} -> {peak:.0f} MiB"
        )


def main():
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rate", type=float, default=500)
    args = parse(parser, FLOODS)
    alone, line = measure(args, "", CONFIG)
    print(f"{'alone':12} {'':6} {line}", flush=True)
    worst = 1.0
    for name in args.names:
        rate, line = measure(args, name, FLOODS[name][1])
        worst = min(worst, rate / alone)
        print(f"{name:12} {rate / alone:5.1%} {line}", flush=True)
    sys.exit(worst < 0.9)


if __name__ == "__main__":
    main()
