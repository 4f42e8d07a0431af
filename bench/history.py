#!/usr/bin/env python3
"""What a long history costs: ingest and list pages over a large store beside a small one.

    bench/history.py SMALL LARGE [--seconds 8] [--rounds 2] [--grapnel FILE]

SMALL and LARGE are folders whose data/ was made by bench_fill, for example of 10,000 and of
10,000,000 events with two deliveries each:

    build/release/bench/bench_fill FOLDER/data 10000000 2

Each round starts the process on a copy of SMALL, then on LARGE, which grows by what is sent to it:
pages of lists one after another, then wrk with a key of its own for each webhook. Prints the
medians of the rounds and their ratios.
"""

import http.client
import pathlib
import shutil
import statistics
import tempfile
import time

from measure import arguments, cpu_seconds, harness, parse, resident_mib, wrk

PAGES = 1000
PAGE = 50
#: Nothing that bench_fill made is old enough to be removed meanwhile.
CONFIG = "retention: {finished: 365d, dead: 365d}\n"


def ago(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))


def page_time(grapnel, path):
    """Median milliseconds of a page."""
    assert len(grapnel.get(path)) == PAGE, path
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
    began = time.monotonic()
    with harness.Grapnel(directory=folder, config=CONFIG) as grapnel:
        figures["start s"] = time.monotonic() - began
        source = grapnel.get("/api/sources/bench")["id"]
        action = grapnel.get("/api/sources/bench/actions")[0]["id"]
        for name, path in {
            "newest events ms": f"/api/events?limit={PAGE}",
            "events of a source, old ms": f"/api/events?limit={PAGE}&source={source}&to={ago(15)}",
            "oldest events ms": f"/api/events?limit={PAGE}&to={ago(29)}",
            "newest deliveries ms": f"/api/deliveries?limit={PAGE}",
            "deliveries of an action, old ms": f"/api/deliveries?limit={PAGE}&action={action}"
            f"&to={ago(15)}",
        }.items():
            figures[name] = page_time(grapnel, path)
        pid = grapnel.process.pid
        cpu = cpu_seconds(pid)
        url = f"http://{grapnel.api_address}/webhooks/bench"
        load = wrk(url, 64, args.seconds, "post_keyed.lua")
        assert load.refused == 0, f"{load.refused} webhooks were refused"
        figures["ingests/s"] = load.rate
        figures["ingest cpu us"] = (cpu_seconds(pid) - cpu) / load.requests * 1e6
        figures["ingest p50 ms"] = load.p50
        figures["ingest p99 ms"] = load.p99
        figures["rss MiB"] = resident_mib(pid)
        grapnel.terminate()
    return figures


def main():
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("small", type=pathlib.Path)
    parser.add_argument("large", type=pathlib.Path)
    args = parse(parser)
    rounds = []
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory(dir=args.small.parent) as copy:
            shutil.copytree(args.small, copy, dirs_exist_ok=True)
            small = one_round(args, copy)
        rounds.append((small, one_round(args, args.large)))
    for name in rounds[0][0]:
        small = statistics.median(one[name] for one, _ in rounds)
        large = statistics.median(one[name] for _, one in rounds)
        print(f"{name:32} {small:10.2f} {large:10.2f}   x{large / small:.2f}", flush=True)


if __name__ == "__main__":
    main()
