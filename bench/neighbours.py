#!/usr/bin/env python3
"""What one endpoint or sender does to the others, on this machine's loopback.

    bench/neighbours.py [--seconds 10] [--grapnel FILE] [--programs FOLDER] [NAME ...]

    steady    1,000 events a second to one good endpoint: how long they are under way
    hanging   the same, beside a source of 1,000 events a second whose endpoint never answers
    crowd     events for 97 good endpoints, then the same with three bad ones beside them: one
              that hangs, one that refuses, one whose name server never answers
    large     1,000 small webhooks a second: alone, while bodies of 32 MiB arrive, and while such go
              to another process (what the machine has to do with it)

Each prints what it measured without and with the neighbour, in the same run, and the ratio. For a
name server that never answers, `crowd` needs root: it gives the process its own /etc/resolv.conf.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time

from measure import Sink, arguments, delivered, harness, parse, silent_endpoint

CONNECTIONS = 16
GOOD = 97
EVENTS = 400


class Sender:
    """bench_send at a source: webhooks of 1 KiB at a steady rate, or larger ones one by one."""

    def __init__(self, args, address, source, rate, size=1024):
        self.wanted = rate * args.seconds
        self.process = subprocess.Popen(
            [args.programs / "bench_send", address.rsplit(":", 1)[1], f"/webhooks/{source}"]
            + [str(rate), str(args.seconds), str(CONNECTIONS if rate else 1), str(size)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self):
        """(answers, p50 ms, p99 ms)"""
        answered, refused, open_still, p50, p99 = map(int, self.process.stdout.read().split())
        assert self.process.wait(30) == 0
        assert refused + open_still == 0, f"{refused} refused, {open_still} without an answer"
        assert answered >= 0.99 * self.wanted, f"{answered} of {self.wanted} were sent"
        return answered, p50 / 1e3, p99 / 1e3


def ways(args, beside):
    """(p50 ms, p99 ms) from sent to received at the good endpoint."""
    sink = Sink(args.programs)
    with harness.Grapnel() as grapnel, silent_endpoint() as silent:
        grapnel.source("good")
        grapnel.action("good", sink.url, max_in_flight=64)
        senders = [Sender(args, grapnel.api_address, "good", 1000)]
        if beside == "hanging":
            grapnel.source("hanging")
            grapnel.action("hanging", silent, max_in_flight=64)
            senders.append(Sender(args, grapnel.api_address, "hanging", 1000))
        for sender in senders:
            sender.end()
        time.sleep(0.5)
        _, p50, p99 = sink.end()
    return p50, p99


def steady(args):
    p50, p99 = ways(args, "nobody")
    print(f"steady: 1,000/s to one endpoint: p50 {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)


def hanging(args):
    alone, beside = ways(args, "nobody"), ways(args, "hanging")
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


def crowd_rate(args, beside):
    """Deliveries a second to 97 good endpoints."""
    sink = Sink(args.programs)
    with silent_endpoint() as silent, harness.Grapnel() as grapnel:
        grapnel.source("crowd")
        for number in range(GOOD):
            grapnel.action("crowd", f"{sink.url}{number}", name=f"good-{number}")
        if beside == "bad":
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
        harness.eventually(lambda: delivered(grapnel) >= GOOD * EVENTS, 120, "every good delivery")
        taken = time.monotonic() - began
    sink.end()
    return GOOD * EVENTS / taken


def crowd(args):
    if os.geteuid() != 0:
        print("crowd: needs root; left out", flush=True)
        return
    with without_names(args.grapnel) as wrapper:
        harness.BINARY = wrapper
        alone, beside = crowd_rate(args, "nobody"), crowd_rate(args, "bad")
        harness.BINARY = args.grapnel
    print(
        f"crowd: {alone:.0f} good deliveries/s alone, {beside:.0f}/s beside three bad endpoints"
        f" ({beside / alone:.2f})",
        flush=True,
    )


def small_beside(args, grapnel, large_to):
    """p99 ms of small webhooks while bodies of 32 MiB go to that address, and how many did."""
    sender = Sender(args, large_to, "large", 0, size=32 << 20)
    _, _, p99 = Sender(args, grapnel.api_address, "small", 1000).end()
    return p99, sender.end()[0]


def large(args):
    sink = Sink(args.programs)
    with harness.Grapnel() as grapnel:
        for slug in ("small", "large"):
            grapnel.source(slug, body_max="32MiB")
        _, _, alone = Sender(args, grapnel.api_address, "small", 1000).end()
        machine, at_sink = small_beside(args, grapnel, f"127.0.0.1:{sink.port}")
        beside, bodies = small_beside(args, grapnel, grapnel.api_address)
    sink.end()
    assert at_sink > 0 and bodies > 0, "no body of 32 MiB came through"
    print(
        f"large: small webhooks' p99 {alone:.2f} ms alone, {machine:.2f} ms while {at_sink} bodies"
        f" of 32 MiB go to another process, {beside:.2f} ms while {bodies} come to this one"
        f" (x{beside / alone:.2f}, x{beside / machine:.2f})",
        flush=True,
    )


SCENES = {"steady": steady, "hanging": hanging, "crowd": crowd, "large": large}


def main():
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    args = parse(parser, SCENES)
    for name in args.names:
        SCENES[name](args)


if __name__ == "__main__":
    main()
