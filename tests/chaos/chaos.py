#!/usr/bin/env python3
"""A load runs while the process is killed at random instants; nothing acknowledged is lost.

    tests/chaos/chaos.py --kills 30                 kill -9, a random seed, which is printed
    tests/chaos/chaos.py --kills 300 --seed 7       the same instants and choices again
    tests/chaos/chaos.py --signal TERM --kills 30   SIGTERM with short grace periods instead

One source has a script, whose worker processes are killed at random as well. Afterwards: every
acknowledged event exists once and byte for byte, has exactly one original delivery per action,
every delivery ended delivered, the receiver saw each of them (of scripted events what the script
made: changed, dropped or split in two), and ordered keys arrived in order. The binary is
$GRAPNEL_BIN.
"""

import argparse
import collections
import hashlib
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "functional"))
from grapnel import Grapnel, eventually, request  # noqa: E402
from receiver import Receiver, answer  # noqa: E402

SENDERS = 6
SCRIPT = """function transform(event) {
  const n = event.payload.n
  if (n % 10 === 0) return null
  if (n % 10 === 1) return [{payload: {part: 0, of: n}}, {payload: {part: 1, of: n}}]
  return {payload: {made: n, key: event.payload.key}}
}"""
CONFIG = "shutdown: {grace: 50ms, drain: 2s}\n"


class Ledger:
    """What was acknowledged, by event id."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}  # by event
        self.refused = collections.Counter()
        self.duplicates = 0


class Sender(threading.Thread):
    """Sends one event after the other; what was not acknowledged goes again, with the same key."""

    def __init__(self, number, seed, grapnel, ledger, stopping):
        super().__init__(daemon=True)
        self.number = number
        self.random = random.Random(f"{seed}-{number}")
        self.grapnel = grapnel
        self.ledger = ledger
        self.stopping = stopping
        self.failure = None

    def run(self):
        try:
            sent = 0
            while not self.stopping.is_set():
                self.one(sent)
                sent += 1
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    def one(self, sent):
        source = self.random.choice(["plain", "plain", "ordered", "made"])
        key = f"{self.number}-{sent}"
        filler = self.random.randbytes(self.random.choice([10, 200, 1000, 1000, 5000])).hex()
        body = f'{{"key":"s{self.number}","n":{sent},"filler":"{filler}"}}'.encode()
        if self.random.random() < 0.003:
            body = body + b" " * 300_000  # a body in a file of its own
        while not self.stopping.is_set():
            status, event = self.post(source, key, body)
            if status == 202:
                if event["status"] == "duplicate":
                    self.ledger.duplicates += 1
                with self.ledger.lock:
                    self.ledger.acknowledged[event["event_id"]] = (
                        source,
                        body,
                        key,
                        self.number,
                        sent,
                    )
                return
            self.ledger.refused[status] += 1
            self.stopping.wait(0.02)

    def post(self, source, key, body):
        address = self.grapnel.api_address
        if address is None:
            return "down", None
        try:
            reply = request(
                address, "POST", f"/webhooks/{source}", body, {"Idempotency-Key": key}, timeout=10
            )
        except (OSError, http.client.HTTPException):
            return "cut", None
        return reply.status, reply.json() if reply.status == 202 else None


def prepare(grapnel, receiver, seed):
    flaky = random.Random(f"{seed}-flaky")
    lock = threading.Lock()

    def sometimes(connection, got):
        with lock:
            bad = flaky.random() < 0.1
        return answer(503 if bad else 200)(connection, got)

    retry = {"schedule": ["100ms"] * 50, "policy": "any"}
    grapnel.source("plain")
    grapnel.action("plain", receiver.on("/good", answer()), name="good", retry=retry)
    grapnel.action("plain", receiver.on("/flaky", sometimes), name="flaky", retry=retry)
    grapnel.source("made", script_body=SCRIPT)
    grapnel.action("made", receiver.on("/made", sometimes), name="made", retry=retry)
    grapnel.source("ordered", ordering_key="/key")
    grapnel.action("ordered", receiver.on("/ordered", sometimes), name="ordered", retry=retry)


def disturb(grapnel, args, chance):
    """One end and one start; before it, now and then, the end of a script worker."""
    pause = chance.uniform(0.05, args.interval)
    time.sleep(pause / 2)
    if chance.random() < 0.5:
        found = subprocess.run(
            ["pgrep", "-P", str(grapnel.process.pid)], capture_output=True, text=True, check=False
        )
        for worker in found.stdout.split()[:1]:
            try:
                os.kill(int(worker), signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended by itself
    time.sleep(pause / 2)
    if args.signal == "KILL":
        grapnel.kill()
    else:
        code = grapnel.terminate()
        if code != 0:
            raise AssertionError(
                f"SIGTERM ended with {code}\n" + "\n".join(grapnel.log_lines[-20:])
            )
    grapnel.start()


def pages(grapnel, path):
    while path:
        page = grapnel.api("GET", path, expect=200)
        yield from page.json()
        link = page.headers.get("link")
        path = link[link.index("<") + 1 : link.index(">")] if link else None


def what_was_made(receiver, stored):
    """What /made got: bodies by event, and of splits by the event that they were made of."""
    made = collections.defaultdict(set)
    parts = collections.defaultdict(set)
    for got in receiver.at("/made"):
        event = got.header("webhook-id")
        parent = stored.get(event, {}).get("parent_id")
        if parent:
            parts[parent].add((event, got.body))
        else:
            made[event].add(got.body)
    return made, parts


def check_made(event, sent, actions_of, made, parts):
    """What is wrong with a scripted event; `sent` is its body."""
    n, name = sent["n"], event["id"]
    actions = len(actions_of[name])
    wanted = {0: ("dropped", 1), 1: ("done", 1)}.get(n % 10, ("done", 2))
    broken = []
    if (event["status"], actions) != wanted:
        broken.append(f"event {name}: {event['status']} with {actions} actions, not {wanted}")
    bodies = {json.dumps(json.loads(body)) for body in made[name]}
    if n % 10 > 1 and bodies != {json.dumps({"made": n, "key": sent["key"]})}:
        broken.append(f"event {name} reached /made as {bodies}")
    if n % 10 <= 1 and bodies:
        broken.append(f"event {name}, dropped or split, reached /made")
    split = {event: json.loads(body) for event, body in parts[name]}
    numbers = sorted(part["part"] for part in split.values())
    if numbers != ([0, 1] if n % 10 == 1 else []):
        broken.append(f"event {name} was split into {numbers}")
    return broken


def check(grapnel, receiver, ledger):
    """Every promise; returns a list of what is broken."""
    broken = []
    originals = collections.Counter()
    states = collections.Counter()
    for delivery in pages(grapnel, "/api/deliveries?limit=200"):
        originals[delivery["event_id"], delivery["action_id"]] += 1
        states[delivery["state"]] += 1
        if delivery["state"] != "delivered":
            broken.append(
                f"delivery {delivery['id']} is {delivery['state']}: {delivery['last_error']}"
            )
    actions_of = collections.defaultdict(set)
    for event_id, action in originals:
        actions_of[event_id].add(action)
    keys = collections.Counter()
    stored = {}
    for event in pages(grapnel, "/api/events?limit=200"):
        stored[event["id"]] = event
        if not event["parent_id"]:
            keys[event["source_id"], event["idempotency_key"]] += 1
    for key, count in keys.items():
        if count != 1:
            broken.append(f"key {key} made {count} events")
    seen = collections.defaultdict(set)
    for got in receiver.requests:
        seen[got.header("webhook-id")].add((got.path, hashlib.sha256(got.body).hexdigest()))
    made, parts = what_was_made(receiver, stored)
    for event_id, (source, body, key, _, _) in ledger.acknowledged.items():
        if event_id not in stored:
            broken.append(f"acknowledged event {event_id} (key {key}) does not exist")
            continue
        digest = hashlib.sha256(body).hexdigest()
        if stored[event_id]["body_sha256"] != digest:
            broken.append(f"event {event_id} has another body than was sent")
        if source == "made":
            broken += check_made(stored[event_id], json.loads(body), actions_of, made, parts)
            continue
        paths = ["/good", "/flaky"] if source == "plain" else ["/ordered"]
        if len(actions_of[event_id]) != len(paths):
            broken.append(
                f"event {event_id} has {len(actions_of[event_id])} deliveries, not one per action"
            )
        for path in paths:
            if (path, digest) not in seen[event_id]:
                broken.append(f"event {event_id} never reached {path}")
    for (event_id, action), count in originals.items():
        if count != 1:
            broken.append(f"event {event_id} has {count} deliveries for {action}")
    numbers = {
        event: (sender, n)
        for event, (source, _, _, sender, n) in ledger.acknowledged.items()
        if source == "ordered"
    }
    newest = {}
    for got in receiver.at("/ordered"):
        if got.header("webhook-id") not in numbers:
            continue  # stored, but never acknowledged
        sender, n = numbers[got.header("webhook-id")]
        if n < newest.get(sender, -1):
            broken.append(f"key s{sender}: {n} came after {newest[sender]}")
        newest[sender] = max(n, newest.get(sender, -1))
    bodies = 0
    for event_id, (_, body, _, _, _) in random.Random(1).sample(
        sorted(ledger.acknowledged.items()), min(300, len(ledger.acknowledged))
    ):
        bodies += 1
        if grapnel.api("GET", f"/api/events/{event_id}/body", expect=200).body != body:
            broken.append(f"the body of {event_id} is not what was sent")
    print(
        f"chaos: {len(stored)} events, deliveries {dict(states)}, "
        f"{len(receiver.requests)} requests received, "
        f"{bodies} bodies compared"
    )
    return broken


def run(args):
    print(f"chaos: seed {args.seed}, {args.kills} x SIG{args.signal}", flush=True)
    chance = random.Random(args.seed)
    ledger = Ledger()
    stopping = threading.Event()
    with Receiver() as receiver, Grapnel(config=CONFIG) as grapnel:
        prepare(grapnel, receiver, args.seed)
        senders = [Sender(n, args.seed, grapnel, ledger, stopping) for n in range(SENDERS)]
        for sender in senders:
            sender.start()
        for number in range(args.kills):
            disturb(grapnel, args, chance)
            if (number + 1) % 25 == 0:
                print(
                    f"chaos: {number + 1} ended, {len(ledger.acknowledged)} acknowledged",
                    flush=True,
                )
        time.sleep(0.5)
        stopping.set()
        for sender in senders:
            sender.join(60)
            if sender.failure:
                raise sender.failure

        def drained():
            metrics = grapnel.metrics()
            return all(
                metrics.get(f'deliveries_open{{state="{state}"}}', 1) == 0
                for state in ("pending", "running", "retrying")
            )

        eventually(drained, 120, "every delivery ends")
        broken = check(grapnel, receiver, ledger)
    print(
        f"chaos: {len(ledger.acknowledged)} acknowledged, {ledger.duplicates} duplicates told, "
        f"refused or cut {dict(ledger.refused)}, {len(broken)} broken promises"
    )
    for line in broken[:50]:
        print("chaos: BROKEN:", line)
    return 1 if broken or not ledger.acknowledged else 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--signal", choices=["KILL", "TERM"], default="KILL")
    parser.add_argument(
        "--interval", type=float, default=1.0, help="longest time between start and end, seconds"
    )
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
