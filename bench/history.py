#!/usr/bin/env python3
"""What a long history costs: ingest and list pages over a large store beside a small one.

    bench/history.py SMALL LARGE [--seconds 8] [--rounds 2] [--grapnel FILE]

SMALL and LARGE are folders whose data/ was made by bench_fill, for example of 10,000 and of
10,000,000 events with two deliveries each:

    build/release/bench/bench_fill FOLDER/data 10000000 2

Each round starts the process on SMALL, then on LARGE: pages of lists one after another, then wrk
with a key of its own for each webhook. Prints the medians of the rounds and their ratios.
"""

import argparse
import http.client
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "functional"))
import grapnel as harness  # noqa: E402
from relay import cpu_seconds, resident_mib, wrk  # noqa: E402

PAGES = 200


def ago(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))


def page_time(grapnel, path):
    """Median milliseconds of a page."""
    connection = http.client.HTTPConnection(grapnel.api_address)
    headers = {"Authorization": f"Bearer {grapnel.key()}"}
    times = []
    for _ in range(PAGES):
        began = time.monotonic()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        times.append(time.monotonic() - began)
        assert answer.status == 200, answer.status
    connection.close()
    return statistics.median(times) * 1e3


def one_round(args, folder):
    """{figure: value}"""
    figures = {}
    grapnel = harness.Grapnel(directory=folder)
    began = time.monotonic()
    with grapnel:
        figures["start s"] = time.monotonic() - began
        source = grapnel.get("/api/sources/bench")["id"]
        actions = grapnel.get("/api/sources/bench/actions")
        for action in actions:
            grapnel.api(
                "PATCH",
                f"/api/sources/bench/actions/{action['id']}",
                {"state": "paused"},
                expect=200,
            )
        first = actions[0]["id"]
        for name, path in {
            "newest events ms": "/api/events?limit=50",
            "events of a source, old ms": f"/api/events?limit=50&source={source}&to={ago(15)}",
            "oldest events ms": f"/api/events?limit=50&to={ago(29)}",
            "newest deliveries ms": "/api/deliveries?limit=50",
            "deliveries of an action, old ms": f"/api/deliveries?limit=50&action={first}"
            f"&to={ago(15)}",
            "dead letters ms": "/api/dead-letters?limit=50",
        }.items():
            figures[name] = page_time(grapnel, path)
        cpu = cpu_seconds(grapnel.process.pid)
        url = f"http://{grapnel.api_address}/webhooks/bench"
        rate, p50, p99, bad = wrk(url, 64, args.seconds, "post_keyed.lua")
        assert bad == 0, f"{bad} webhooks were refused"
        figures["ingests/s"] = rate
        figures["ingest cpu us"] = (
            (cpu_seconds(grapnel.process.pid) - cpu) / rate / args.seconds * 1e6
        )
        figures["ingest p50 ms"] = p50
        figures["ingest p99 ms"] = p99
        figures["rss MiB"] = resident_mib(grapnel.process.pid)
        grapnel.terminate()
    return figures


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--grapnel", default=str(HERE.parent / "build" / "grapnel"))
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("small", type=pathlib.Path)
    parser.add_argument("large", type=pathlib.Path)
    args = parser.parse_args()
    harness.BINARY = args.grapnel
    rounds = [
        (one_round(args, args.small), one_round(args, args.large)) for _ in range(args.rounds)
    ]
    for name in rounds[0][0]:
        small = statistics.median(one[name] for one, _ in rounds)
        large = statistics.median(one[name] for _, one in rounds)
        print(f"{name:32} {small:10.2f} {large:10.2f}   x{large / small:.2f}", flush=True)


if __name__ == "__main__":
    main()
