"""POST /webhooks/{source}: what is taken, what is refused and how it is said."""

import hashlib
import json
import socket
import unittest

from grapnel import Grapnel, eventually, request
from receiver import Receiver

JSON = {"Content-Type": "application/json"}
HEAD = b"POST /webhooks/garbage HTTP/1.1\r\nHost: a\r\n"


class Receiving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.grapnel = Grapnel().start()

    @classmethod
    def tearDownClass(cls):
        cls.grapnel.close()

    def raw(self, data, timeout=10.0):
        """Bytes in, everything that comes back until the peer closes or `timeout`."""
        host, port = self.grapnel.api_address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=timeout) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            out = b""
            while True:
                try:
                    more = sock.recv(65536)
                except TimeoutError:
                    return out
                if not more:
                    return out
                out += more

    def problem(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        document = answer.json()
        self.assertEqual(document["status"], status)
        self.assertTrue(document["title"])
        self.assertTrue(document["detail"])
        return document

    def test_unknown_source_is_404(self):
        self.problem(self.grapnel.send("nowhere"), 404)

    def test_other_methods_are_405_with_allow(self):
        self.grapnel.source("methods")
        answer = request(self.grapnel.api_address, "GET", "/webhooks/methods")
        self.problem(answer, 405)
        self.assertEqual(set(answer.headers["allow"].replace(" ", "").split(",")), {"POST", "PUT"})

    def test_put_is_taken_like_post(self):
        self.grapnel.source("put")
        self.assertEqual(self.grapnel.send("put", b"x", method="PUT").status, 202)

    def test_any_bytes_are_kept_byte_for_byte(self):
        self.grapnel.source("bytes", mode="record")
        for body, kind in [
            (b"", "application/json"),
            (b"\x00\xff\xfe binary \r\n\r\n", "application/octet-stream"),
            (b'{"b":1,"a":2,"b":3,  "n":12345678901234567890}', "application/json"),
            (b"payload=%7B%7D", "application/x-www-form-urlencoded"),
            (bytes(range(256)) * 2000, "application/octet-stream"),
        ]:
            answer = self.grapnel.send("bytes", body, {"Content-Type": kind})
            self.assertEqual(answer.status, 202, answer)
            document = answer.json()
            self.assertEqual(document["status"], "recorded")
            self.assertEqual(document["event_id"], document["delivery_id"])
            self.assertTrue(document["event_id"].startswith("evt_"))
            stored = self.grapnel.api("GET", f"/api/events/{document['event_id']}/body", expect=200)
            self.assertEqual(stored.body, body)
            event = self.grapnel.get(f"/api/events/{document['event_id']}")
            self.assertEqual(event["body_sha256"], hashlib.sha256(body).hexdigest())

    def test_header_order_case_and_duplicates_are_kept(self):
        self.grapnel.source("headers", mode="record")
        answer = self.raw(
            b"POST /webhooks/headers?x=1 HTTP/1.1\r\nHost: a\r\n"
            b"X-ONE: 1\r\nx-two: 2\r\nX-One: 3\r\n"
            b"Content-Length: 2\r\n\r\n{}"
        )
        event_id = json.loads(answer.split(b"\r\n\r\n", 1)[1])["event_id"]
        event = self.grapnel.get(f"/api/events/{event_id}")
        kept = [tuple(h) for h in event["headers"] if h[0].lower().startswith("x-")]
        self.assertEqual(kept, [("X-ONE", "1"), ("x-two", "2"), ("X-One", "3")])
        self.assertEqual(event["target"], "/webhooks/headers?x=1")
        self.assertEqual(event["method"], "POST")

    def test_same_key_is_a_duplicate_of_the_first(self):
        self.grapnel.source("dedupe")
        for header in ("X-Idempotency-Key", "Idempotency-Key", "webhook-id", "X-GitHub-Delivery"):
            first = self.grapnel.send("dedupe", b"1", {header: "k-" + header}).json()
            again = self.grapnel.send("dedupe", b"2", {header: "k-" + header})
            self.assertEqual(again.status, 202)
            self.assertEqual(
                again.json(),
                {
                    "event_id": first["event_id"],
                    "delivery_id": first["event_id"],
                    "status": "duplicate",
                },
            )
        no_key = {self.grapnel.send("dedupe", b"same").json()["event_id"] for _ in range(3)}
        self.assertEqual(len(no_key), 3)

    def test_cloud_event_ids_count_within_their_source_only(self):
        self.grapnel.source("ce")

        def send(source):
            return self.grapnel.send(
                "ce", b"{}", {"ce-id": "1", "ce-source": source, "ce-type": "t"}
            ).json()

        self.assertEqual(send("a")["status"], "accepted")
        self.assertEqual(send("b")["status"], "accepted")
        self.assertEqual(send("a")["status"], "duplicate")

    def test_key_by_json_pointer(self):
        self.grapnel.source("pointer", idempotency=["/id"])
        first = self.grapnel.send("pointer", b'{"id":"evt_1","n":1}').json()
        again = self.grapnel.send("pointer", b'{"id":"evt_1","n":2}').json()
        self.assertEqual((again["status"], again["event_id"]), ("duplicate", first["event_id"]))

    def test_large_bodies_say_as_much_about_themselves_as_small_ones(self):
        self.grapnel.source(
            "large", mode="record", body_max="8MiB", idempotency=["/meta/id"], require_json=True
        )
        padding = b'"padding":"' + b"x" * 3_000_000 + b'","many":[' + b"[1.5],{}," * 100_000 + b"0]"
        body = b"{" + padding + b',"type":"late","meta":{"id":12345678901234567890123}}'
        first = self.grapnel.send("large", body, JSON)
        self.assertEqual(first.status, 202, first)
        event = self.grapnel.get(f"/api/events/{first.json()['event_id']}")
        self.assertEqual(event["type"], "late")
        self.assertEqual(event["body_sha256"], hashlib.sha256(body).hexdigest())
        stored = self.grapnel.api("GET", f"/api/events/{event['id']}/body", expect=200)
        self.assertEqual(stored.body, body)
        small = b'{"meta":{"id":12345678901234567890123}}'
        again = self.grapnel.send("large", small, JSON).json()
        self.assertEqual((again["status"], again["event_id"]), ("duplicate", event["id"]))
        self.problem(self.grapnel.send("large", body[:-1], JSON), 422)

    def test_event_types(self):
        self.grapnel.source("types", mode="record")
        self.grapnel.source("typed", mode="record", event_type="header:X-Kind")
        cases = [
            (
                "types",
                b'{"action":"opened"}',
                {"X-GitHub-Event": "pull_request"},
                "pull_request.opened",
            ),
            ("types", b'{"zen":"x"}', {"X-GitHub-Event": "ping"}, "ping"),
            ("types", b"{}", {"ce-type": "com.example.made"}, "com.example.made"),
            ("types", b'{"type":"invoice.paid"}', {}, "invoice.paid"),
            ("types", b"not json", {}, "webhook"),
            ("typed", b'{"type":"ignored"}', {"X-Kind": "mine"}, "mine"),
        ]
        for slug, body, headers, wanted in cases:
            event = self.grapnel.send(slug, body, headers).json()["event_id"]
            self.assertEqual(self.grapnel.get(f"/api/events/{event}")["type"], wanted)

    def test_required_json_is_415_or_422(self):
        self.grapnel.source("strict", require_json=True)
        self.problem(self.grapnel.send("strict", b"x", {"Content-Type": "text/plain"}), 415)
        self.problem(self.grapnel.send("strict", b"{", {"Content-Type": "application/json"}), 422)
        for kind in (
            "application/json",
            "application/json; charset=utf-8",
            "application/cloudevents+json",
        ):
            self.assertEqual(
                self.grapnel.send("strict", b"[1]", {"Content-Type": kind}).status, 202
            )

    def test_body_limit_is_413_before_the_body_is_read(self):
        self.grapnel.source("small", body_max="1000")
        self.problem(self.grapnel.send("small", b"x" * 1001), 413)
        self.assertEqual(self.grapnel.send("small", b"x" * 1000).status, 202)
        head = self.raw(
            b"POST /webhooks/small HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n"
        )
        self.assertTrue(head.startswith(b"HTTP/1.1 413"), head)

    def test_rate_limit_is_429_with_retry_after(self):
        self.grapnel.source("slow", rate_limit={"per_second": 1, "burst": 2})
        answers = [self.grapnel.send("slow") for _ in range(5)]
        self.assertEqual([a.status for a in answers[:2]], [202, 202])
        self.problem(answers[-1], 429)
        self.assertGreaterEqual(int(answers[-1].headers["retry-after"]), 1)

    def test_chunked_and_expect_continue_and_pipelining(self):
        self.grapnel.source("http", mode="record")
        chunked = self.raw(
            b"POST /webhooks/http HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        )
        event = json.loads(chunked.split(b"\r\n\r\n", 1)[1])["event_id"]
        self.assertEqual(self.grapnel.api("GET", f"/api/events/{event}/body").body, b"abcde")
        one = b"POST /webhooks/http HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
        self.assertEqual(self.raw(one * 5).count(b"HTTP/1.1 202"), 5)
        host, port = self.grapnel.api_address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as sock:
            sock.sendall(
                b"POST /webhooks/http HTTP/1.1\r\nHost: a\r\n"
                b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
            )
            self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 100"))
            sock.sendall(b"x")
            self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 202"))

    def test_garbage_and_smuggling_are_refused_without_harm(self):
        self.grapnel.source("garbage")
        for data, status in [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50, None),
            (b"GET\r\n\r\n", b"400"),
            (
                HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" b"0\r\n\r\n",
                b"400",
            ),
            (
                HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                b"400",
            ),
            (HEAD + b"Content-Length: -1\r\n\r\n", b"400"),
            (
                HEAD + b"Bad Name: 1\r\nContent-Length: 0\r\n\r\n",
                b"400",
            ),
            (
                HEAD + b"X: " + b"y" * 70000 + b"\r\n\r\n",
                b"431",
            ),
        ]:
            out = self.raw(data, timeout=3)
            if status:
                self.assertIn(status, out.split(b"\r\n", 1)[0], data[:80])
        self.assertEqual(self.grapnel.send("garbage").status, 202)

    def test_secrets_of_the_sender_are_never_stored_or_forwarded(self):
        with Receiver() as receiver:
            self.grapnel.source("secretive", secret_query=["token"], secret_headers=["X-Mine"])
            self.grapnel.action("secretive", receiver.url + "/s")
            sent = {
                "Authorization": "Bearer hunter2",
                "Cookie": "c=hunter2",
                "X-Mine": "hunter2",
                "X-Public": "yes",
            }
            answer = request(
                self.grapnel.api_address,
                "POST",
                "/webhooks/secretive?token=hunter2&a=b",
                b"{}",
                sent,
            )
            event = answer.json()["event_id"]
            got = eventually(lambda: receiver.at("/s"), what="delivery")[0]
        stored = self.grapnel.get(f"/api/events/{event}")
        self.assertNotIn("hunter2", json.dumps(stored))
        self.assertIn("digest:", json.dumps(stored))
        self.assertEqual(got.header("X-Public"), "yes")
        for name in ("Authorization", "Cookie", "X-Mine"):
            self.assertIsNone(got.header(name))
        self.assertNotIn("hunter2", self.grapnel.log_text())

    def test_counts_what_it_receives(self):
        self.grapnel.source("counted")
        name = 'webhooks_received_total{source="counted",status="accepted"}'
        before = self.grapnel.metrics().get(name, 0)
        for _ in range(3):
            self.grapnel.send("counted")
        self.assertEqual(self.grapnel.metrics()[name] - before, 3)


class Modes(unittest.TestCase):
    def test_paused_source_holds_and_releases_in_order(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("held", mode="paused")
            grapnel.action("held", receiver.url + "/h", max_in_flight=1)
            events = [grapnel.send("held", str(n).encode()).json() for n in range(20)]
            self.assertEqual({e["status"] for e in events}, {"held"})
            self.assertEqual(receiver.at("/h"), [])
            grapnel.kill()
            grapnel.start()
            grapnel.api("PATCH", "/api/sources/held", {"mode": "active"}, expect=200)
            eventually(lambda: len(receiver.at("/h")) == 20, what="all released")
            self.assertEqual(
                [r.body for r in receiver.at("/h")], [str(n).encode() for n in range(20)]
            )

    def test_record_mode_never_delivers(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("rec", mode="record")
            grapnel.action("rec", receiver.url + "/r")
            event = grapnel.send("rec").json()
            self.assertEqual(event["status"], "recorded")
            grapnel.api("PATCH", "/api/sources/rec", {"mode": "active"}, expect=200)
            later = grapnel.send("rec").json()
            grapnel.wait_state(later["event_id"], "delivered")
            self.assertEqual(len(receiver.at("/r")), 1)
            self.assertEqual(grapnel.deliveries(f"&event={event['event_id']}"), [])

    def test_paused_then_record_leaves_what_is_held_recorded(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("pr", mode="paused")
            grapnel.action("pr", receiver.url + "/pr")
            event = grapnel.send("pr").json()["event_id"]
            grapnel.api("PATCH", "/api/sources/pr", {"mode": "record"}, expect=200)
            eventually(
                lambda: grapnel.get(f"/api/events/{event}")["status"] == "recorded", what="recorded"
            )
            self.assertEqual(receiver.requests, [])


if __name__ == "__main__":
    unittest.main()
