#!/usr/bin/env python3
"""What one endpoint or sender does to the others, on this machine's loopback.

    bench/neighbours.py [--seconds 10] [--grapnel FILE] [--programs FOLDER] [NAME ...]

    steady    1,000 events a second to one good endpoint: how long they are under way
    hanging   the same, beside a source of 1,000 events a second whose endpoint never answers
    crowd     events for 97 good endpoints, then the same with three bad ones beside them: one
              that hangs, one that refuses, one whose name server never answers
    large     1,000 small webhooks a second, alone and while bodies of 32 MiB arrive

Each prints what it measured without and with the neighbour, in the same run, and the ratio. For a
name server that never answers, `crowd` needs root: it gives the process its own /etc/resolv.conf.
"""

import argparse
import asyncio
import contextlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "functional"))
import grapnel as harness  # noqa: E402

CONNECTIONS = 16
GOOD = 97
EVENTS = 400


class Sink:
    """bench_sink, and what it saw when it ended."""

    def __init__(self, programs):
        self.process = subprocess.Popen(
            [programs / "bench_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/"

    def end(self):
        """(requests, p50 ms, p99 ms) of the way here."""
        self.process.stdin.close()
        last = self.process.stdout.read().splitlines()[-1]
        self.process.wait(10)
        requests, p50, p99 = map(int, last.split())
        return requests, p50 / 1e3, p99 / 1e3


@contextlib.contextmanager
def silent_endpoint():
    """A URL whose connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def message(source):
    body = b'{"ns":%d,"fill":"' % time.monotonic_ns() + b"x" * 980 + b'"}'
    head = f"POST /webhooks/{source} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def send_steadily(address, source, rate, seconds, latencies):
    """Open loop: `rate` a second over kept connections, each answer's latency noted."""
    host, port = address.rsplit(":", 1)
    began = time.monotonic()

    async def one(number):
        reader, writer = await asyncio.open_connection(host, int(port))
        due = began + number / rate
        while due < began + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked = time.monotonic()
            writer.write(message(source))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 202 " in head, head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.monotonic() - asked)
            due += CONNECTIONS / rate
        writer.close()

    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))


def steadily(address, sources, rate, seconds):
    """(p50 ms, p99 ms) of the answers to the first source."""
    latencies = {source: [] for source in sources}

    async def all_of_them():
        await asyncio.gather(
            *(send_steadily(address, s, rate, seconds, latencies[s]) for s in sources)
        )

    asyncio.run(all_of_them())
    cuts = statistics.quantiles(latencies[sources[0]], n=100)
    return cuts[49] * 1e3, cuts[98] * 1e3


def ways(args, with_hanging):
    """(p50 ms, p99 ms) from sent to received at the good endpoint."""
    sink = Sink(args.programs)
    with harness.Grapnel() as grapnel, silent_endpoint() as silent:
        grapnel.source("good")
        grapnel.action("good", sink.url, max_in_flight=64)
        sources = ["good"]
        if with_hanging:
            grapnel.source("hanging")
            grapnel.action("hanging", silent, max_in_flight=64)
            sources.append("hanging")
        steadily(grapnel.api_address, sources, 1000, args.seconds)
        time.sleep(0.5)
        _, p50, p99 = sink.end()
    return p50, p99


def steady(args):
    p50, p99 = ways(args, False)
    print(f"steady: 1,000/s to one endpoint: p50 {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)


def hanging(args):
    alone, beside = ways(args, False), ways(args, True)
    print(
        f"hanging: p99 {alone[1]:.2f} ms alone, {beside[1]:.2f} ms beside an endpoint that hangs"
        f" (x{beside[1] / alone[1]:.2f}); p50 {alone[0]:.2f} and {beside[0]:.2f} ms",
        flush=True,
    )


@contextlib.contextmanager
def without_names(binary):
    """A command that runs the binary with a name server that never answers."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.53", 53))
        resolv = pathlib.Path(folder) / "resolv.conf"
        resolv.write_text("nameserver 127.0.0.53\n")
        wrapper = pathlib.Path(folder) / "grapnel"
        wrapper.write_text(
            "#!/bin/sh\n"
            f"exec unshare -m sh -c 'mount --bind {resolv} /etc/resolv.conf"
            f' && exec {binary} "$@"\' grapnel "$@"\n'
        )
        wrapper.chmod(0o755)
        yield str(wrapper)


def crowd_rate(args, with_bad):
    """Deliveries a second to 97 good endpoints."""
    sink = Sink(args.programs)
    with silent_endpoint() as silent, harness.Grapnel() as grapnel:
        grapnel.source("crowd")
        for number in range(GOOD):
            grapnel.action("crowd", f"{sink.url}{number}", name=f"good-{number}")
        if with_bad:
            grapnel.action("crowd", silent, name="hanging")
            grapnel.action("crowd", "http://127.0.0.1:9/", name="refusing")
            grapnel.action("crowd", "http://nobody.example/", name="nameless")
        began = time.monotonic()
        senders = [
            threading.Thread(
                target=lambda: [grapnel.send("crowd") for _ in range(EVENTS // 8)], daemon=True
            )
            for _ in range(8)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        done = 'deliveries_ended_total{state="delivered"}'
        harness.eventually(
            lambda: grapnel.metrics().get(done, 0) >= GOOD * EVENTS, 120, "every good delivery"
        )
        taken = time.monotonic() - began
    sink.end()
    return GOOD * EVENTS / taken


def crowd(args):
    if os.geteuid() != 0:
        print("crowd: needs root; left out", flush=True)
        return
    with without_names(args.grapnel) as wrapper:
        harness.BINARY = wrapper
        alone, beside = crowd_rate(args, False), crowd_rate(args, True)
        harness.BINARY = args.grapnel
    print(
        f"crowd: {alone:.0f} good deliveries/s alone, {beside:.0f}/s beside three bad endpoints"
        f" ({beside / alone:.2f})",
        flush=True,
    )


def send_large(address, stop):
    body = b"x" * (32 << 20)
    while not stop.is_set():
        harness.request(address, "POST", "/webhooks/large", body)


def large(args):
    with harness.Grapnel() as grapnel:
        for slug in ("small", "large"):
            grapnel.source(slug, body_max="32MiB")
        alone = steadily(grapnel.api_address, ["small"], 1000, args.seconds)
        stop = threading.Event()
        sender = threading.Thread(target=send_large, args=(grapnel.api_address, stop))
        sender.start()
        beside = steadily(grapnel.api_address, ["small"], 1000, args.seconds)
        stop.set()
        sender.join()
    print(
        f"large: small webhooks' p99 {alone[1]:.2f} ms alone, {beside[1]:.2f} ms while bodies of"
        f" 32 MiB arrive (x{beside[1] / alone[1]:.2f})",
        flush=True,
    )


SCENES = {"steady": steady, "hanging": hanging, "crowd": crowd, "large": large}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--grapnel", default=str(HERE.parent / "build" / "grapnel"))
    parser.add_argument(
        "--programs", type=pathlib.Path, default=HERE.parent / "build" / "release" / "bench"
    )
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("scenes", nargs="*", metavar="NAME")
    args = parser.parse_args()
    unknown = set(args.scenes) - set(SCENES)
    if unknown:
        parser.error(f"no such scene: {', '.join(sorted(unknown))}; there are {', '.join(SCENES)}")
    harness.BINARY = args.grapnel
    for name in args.scenes or SCENES:
        SCENES[name](args)


if __name__ == "__main__":
    main()
