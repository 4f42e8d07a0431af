"""What goes out, how often, to whom; and what becomes of it when the other side misbehaves."""

import json
import pathlib
import subprocess
import time
import unittest

import receiver as acts
from grapnel import Grapnel, eventually
from receiver import Receiver, answer, sequence

NPM = pathlib.Path(__file__).parent.parent / "npm"
FAST = {"schedule": ["50ms", "50ms"], "policy": "any"}


class Delivering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.grapnel = Grapnel().start()
        cls.receiver = Receiver()

    @classmethod
    def tearDownClass(cls):
        cls.receiver.close()
        cls.grapnel.close()

    def make(self, name, act=None, **fields):
        """A source and one action of that name; returns the slug."""
        url = self.receiver.on(f"/{name}", act or answer())
        self.grapnel.source(name)
        self.grapnel.action(name, url, **fields)
        return name

    def one(self, name, state, body=b"{}", headers=None, timeout=20.0):
        """Sends one event and waits for its only delivery."""
        event = self.grapnel.send(name, body, headers).json()["event_id"]
        return self.grapnel.wait_state(event, state, timeout)[0]

    def attempts(self, delivery):
        return self.grapnel.get(f"/api/deliveries/{delivery['id']}/attempts")

    def test_body_and_headers_arrive_as_sent(self):
        body = b'{"b":1, "a":\t2}\x00\xff'
        delivery = self.one(
            self.make("fidelity"),
            "delivered",
            body,
            {
                "Content-Type": "application/x-odd",
                "X-GitHub-Event": "push",
                "X-Forwarded-For": "1.2.3.4",
                "webhook-id": "theirs",
            },
        )
        got = self.receiver.at("/fidelity")[0]
        self.assertEqual(got.method, "POST")
        self.assertEqual(got.body, body)
        self.assertEqual(got.header("Content-Type"), "application/x-odd")
        self.assertEqual(got.header("X-GitHub-Event"), "push")
        self.assertIsNone(got.header("X-Forwarded-For"))
        self.assertEqual(got.header("webhook-id"), delivery["event_id"])
        self.assertEqual(got.header("X-Delivery-ID"), delivery["event_id"])
        self.assertEqual(got.header("X-Grapnel-Delivery"), delivery["id"])
        self.assertEqual(got.header("X-Grapnel-Attempt"), "1")
        self.assertTrue(got.header("User-Agent").startswith("Grapnel/"))
        self.assertRegex(got.header("traceparent"), "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")
        self.assertEqual(len([h for h in got.headers if h[0].lower() == "webhook-id"]), 1)

    def test_npm_standardwebhooks_verifies_real_deliveries(self):
        name = "foreign"
        self.grapnel.source(name)
        secret = self.grapnel.action(name, self.receiver.on("/foreign", answer()))["signing_secret"]
        self.assertTrue(secret.startswith("whsec_"))
        self.one(name, "delivered", '{"ünï":"cödé"}'.encode())
        got = self.receiver.at("/foreign")[0]
        script = """
          const {Webhook} = require('standardwebhooks');
          let text = ''; process.stdin.on('data', d => text += d).on('end', () => {
            const {secret, headers, body} = JSON.parse(text);
            new Webhook(secret).verify(Buffer.from(body, 'base64').toString('utf8'), headers);
            let refused = false;
            const other = Buffer.from(body, 'base64').toString('utf8') + ' ';
            try { new Webhook(secret).verify(other, headers); }
            catch { refused = true; }
            console.log(refused ? 'verified' : 'takes anything');
          });"""
        import base64

        sent = {
            "secret": secret,
            "body": base64.b64encode(got.body).decode(),
            "headers": {k.lower(): v for k, v in got.headers},
        }
        run = subprocess.run(
            ["node", "-e", script],
            cwd=NPM,
            input=json.dumps(sent),
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(run.stdout.strip(), "verified", run.stderr)

    def test_plain_secret_also_signs_as_the_original_relay_did(self):
        import hashlib
        import hmac

        self.grapnel.source("plain")
        self.grapnel.action("plain", self.receiver.on("/plain", answer()), signing_secret="s3cret")
        self.one("plain", "delivered", b"abc")
        got = self.receiver.at("/plain")[0]
        self.assertEqual(
            got.header("X-Webhook-Signature-256"),
            "sha256=" + hmac.new(b"s3cret", b"abc", hashlib.sha256).hexdigest(),
        )
        self.assertTrue(got.header("webhook-signature").startswith("v1,"))

    def test_failures_are_retried_with_the_same_id_and_recorded(self):
        name = self.make("flap", sequence(answer(500), answer(503), answer(200)), retry=FAST)
        delivery = self.one(name, "delivered")
        got = self.receiver.at("/flap")
        self.assertEqual([r.header("X-Grapnel-Attempt") for r in got], ["1", "2", "3"])
        self.assertEqual(len({r.header("webhook-id") for r in got}), 1)
        self.assertEqual(len({r.body for r in got}), 1)
        attempts = self.attempts(delivery)
        self.assertEqual(
            [(a["number"], a["result"], a["response_status"]) for a in attempts],
            [(1, "failed", 500), (2, "failed", 503), (3, "succeeded", 200)],
        )
        self.assertIn("500", attempts[0]["error"])

    def test_tries_end_in_a_dead_letter_that_can_be_replayed(self):
        name = self.make(
            "dead", sequence(answer(500), answer(500), answer(500), answer(200)), retry=FAST
        )
        dead = self.one(name, "dead")
        self.assertEqual(dead["reason"], "retries_exhausted")
        letters = self.grapnel.get(f"/api/dead-letters?source={name}")
        self.assertEqual([d["id"] for d in letters], [dead["id"]])
        replay = self.grapnel.api(
            "POST", f"/api/deliveries/{dead['id']}/replay", expect=(200, 201, 202)
        ).json()
        self.assertEqual(replay["replay_of"], dead["id"])
        eventually(
            lambda: self.grapnel.get(f"/api/deliveries/{replay['id']}")["state"] == "delivered",
            what="replayed",
        )
        self.assertEqual(self.grapnel.get(f"/api/deliveries/{dead['id']}")["state"], "dead")
        self.assertEqual(
            self.grapnel.get(f"/api/deliveries/{dead['id']}")["replayed_by"], replay["id"]
        )
        self.assertEqual(self.grapnel.get(f"/api/dead-letters?source={name}"), [])
        again = self.grapnel.api("POST", f"/api/deliveries/{dead['id']}/replay")
        self.assertEqual(again.status, 409)
        ids = {r.header("webhook-id") for r in self.receiver.at("/dead")}
        self.assertEqual(len(ids), 1)

    def test_bulk_replay_covers_what_matched_once(self):
        name = self.make("bulk", answer(500), retry={"schedule": ["10ms"], "policy": "any"})
        for n in range(30):
            self.grapnel.send(name, str(n).encode())
        eventually(
            lambda: len(self.grapnel.get(f"/api/dead-letters?source={name}&limit=200")) == 30,
            what="30 dead",
        )
        before = len(self.receiver.at("/bulk"))
        self.receiver.on("/bulk", answer(200))
        job = self.grapnel.api("POST", "/api/replays", {"source": name}, expect=202).json()
        self.assertEqual(job["matched"], 30)
        done = eventually(
            lambda: (j := self.grapnel.get(f"/api/replays/{job['id']}"))["state"] == "done" and j,
            what="job",
        )
        self.assertEqual((done["replayed"], done["skipped"]), (30, 0))
        eventually(lambda: len(self.receiver.at("/bulk")) == before + 30, what="30 more")
        self.assertEqual(self.grapnel.get(f"/api/dead-letters?source={name}"), [])

    def test_each_rude_answer_is_a_failure_that_names_its_step(self):
        cases = {
            "reset": (acts.reset, "response"),
            "short": (acts.wrong_length, "response"),
            "redirect": (
                answer(302, headers=[("Location", self.receiver.url + "/elsewhere")]),
                "status",
            ),
            "hang": (acts.hang, "timeout"),
            "drip": (acts.drip, "timeout"),
        }
        for name, (act, step) in cases.items():
            with self.subTest(name):
                self.make(name, act, timeout="1s", retry={"schedule": ["10ms"], "policy": "any"})
                dead = self.one(name, "dead")
                attempts = self.attempts(dead)
                self.assertEqual([a["step"] for a in attempts], [step, step], attempts)
        self.assertEqual(self.receiver.at("/elsewhere"), [])

    def test_endless_answer_is_cut_and_counts_by_its_status(self):
        self.make("endless", acts.endless)
        delivery = self.one("endless", "delivered")
        self.assertLessEqual(len(self.attempts(delivery)[0]["response_body"]), 4096)

    def test_refused_connection_and_unknown_name(self):
        self.grapnel.source("refused")
        self.grapnel.action(
            "refused", "http://127.0.0.1:1/", retry={"schedule": ["10ms"], "policy": "any"}
        )
        self.assertEqual(self.attempts(self.one("refused", "dead"))[0]["step"], "connect")

    def test_retry_after_is_respected(self):
        name = self.make(
            "later", sequence(answer(503, headers=[("Retry-After", "2")]), answer(200)), retry=FAST
        )
        self.one(name, "delivered")
        first, second = self.receiver.at("/later")
        self.assertGreaterEqual(second.time - first.time, 1.9)

    def test_410_ends_the_endpoint_until_it_is_enabled(self):
        name = self.make("gone", answer(410), retry=FAST)
        self.assertEqual(self.one(name, "dead")["reason"], "endpoint_gone")
        self.assertEqual(len(self.receiver.at("/gone")), 1)
        self.assertEqual(
            self.grapnel.get(f"/api/sources/{name}/actions/out")["health"]["status"], "gone"
        )
        dead = self.one(name, "dead")
        self.assertEqual(dead["reason"], "endpoint_gone")
        self.assertEqual(len(self.receiver.at("/gone")), 1)
        self.assertEqual(
            self.grapnel.api("POST", f"/api/deliveries/{dead['id']}/replay").status, 409
        )
        self.receiver.on("/gone", answer(200))
        self.grapnel.api("POST", f"/api/sources/{name}/actions/out/enable", expect=200)
        self.one(name, "delivered")

    def test_transient_policy_gives_up_at_once_on_4xx(self):
        name = self.make("final", answer(404), retry={"schedule": ["10ms"], "policy": "transient"})
        dead = self.one(name, "dead")
        self.assertEqual((dead["reason"], dead["attempts"]), ("final_failure", 1))

    def test_event_types_choose_actions(self):
        self.grapnel.source("choose")
        self.grapnel.action("choose", self.receiver.url + "/all", name="all")
        self.grapnel.action(
            "choose", self.receiver.url + "/pr", name="pr", event_types=["pull_request.*"]
        )
        event = self.grapnel.send(
            "choose", b'{"action":"closed"}', {"X-GitHub-Event": "pull_request"}
        ).json()["event_id"]
        self.assertEqual(len(self.grapnel.wait_state(event, "delivered")), 2)
        event = self.grapnel.send("choose", b"{}", {"X-GitHub-Event": "push"}).json()["event_id"]
        self.assertEqual(len(self.grapnel.wait_state(event, "delivered")), 1)

    def test_paused_action_waits_and_disabled_matches_nothing(self):
        name = self.make("pause")
        self.grapnel.api(
            "PATCH", f"/api/sources/{name}/actions/out", {"state": "paused"}, expect=200
        )
        event = self.grapnel.send(name).json()["event_id"]
        self.assertEqual(
            [d["state"] for d in self.grapnel.deliveries(f"&event={event}")], ["pending"]
        )
        self.grapnel.api(
            "PATCH", f"/api/sources/{name}/actions/out", {"is_active": False}, expect=200
        )
        other = self.grapnel.send(name).json()["event_id"]
        self.assertEqual(self.grapnel.deliveries(f"&event={other}"), [])
        self.assertEqual(self.receiver.at("/pause"), [])
        self.grapnel.api(
            "PATCH", f"/api/sources/{name}/actions/out", {"state": "active"}, expect=200
        )
        self.grapnel.wait_state(event, "delivered")

    def test_cancel_and_retry_now(self):
        name = self.make("now", answer(500), retry={"schedule": ["1h", "1h"], "policy": "any"})
        first = self.one(name, "retrying")
        self.grapnel.api("POST", f"/api/deliveries/{first['id']}/cancel", expect=200)
        self.assertEqual(self.grapnel.get(f"/api/deliveries/{first['id']}")["state"], "cancelled")
        self.assertEqual(
            self.grapnel.api("POST", f"/api/deliveries/{first['id']}/cancel").status, 409
        )
        second = self.one(name, "retrying")
        self.receiver.on("/now", answer(200))
        self.grapnel.api("POST", f"/api/deliveries/{second['id']}/retry", expect=200)
        self.grapnel.wait_state(second["event_id"], "delivered")

    def test_ordered_keys_go_one_after_the_other(self):
        self.grapnel.source("order", ordering_key="/key")
        self.grapnel.action(
            "order",
            self.receiver.on("/order", sequence(answer(500), answer(500), answer(200))),
            retry={"schedule": ["100ms"] * 5, "policy": "any"},
        )
        bodies = [json.dumps({"key": "k", "n": n}).encode() for n in range(15)]
        last = [self.grapnel.send("order", body).json()["event_id"] for body in bodies][-1]
        self.grapnel.wait_state(last, "delivered", 30)
        delivered = []
        for r in self.receiver.at("/order"):
            if not delivered or delivered[-1] != r.body:
                delivered.append(r.body)
        self.assertEqual(delivered, bodies)

    def test_one_hanging_endpoint_slows_nobody(self):
        self.grapnel.source("mixed")
        self.grapnel.action(
            "mixed", self.receiver.on("/stuck", acts.hang), name="stuck", timeout="10s"
        )
        self.grapnel.action("mixed", self.receiver.on("/good", answer()), name="good")
        start = time.monotonic()
        for n in range(200):
            self.grapnel.send("mixed", str(n).encode())
        eventually(
            lambda: len(self.receiver.at("/good")) == 200,
            8,
            "200 good deliveries beside a hanging endpoint",
        )
        self.assertLess(time.monotonic() - start, 8)


class Egress(unittest.TestCase):
    def test_private_targets_are_refused_and_the_setting_is_named(self):
        with Grapnel(env={"GRAPNEL_EGRESS_ALLOW": ""}) as grapnel, Receiver() as receiver:
            grapnel.source("ssrf")
            for n, url in enumerate(
                [
                    receiver.url + "/x",
                    f"http://localhost:{receiver.port}/x",
                    "http://169.254.169.254/",
                    f"http://[::ffff:127.0.0.1]:{receiver.port}/",
                    "http://10.1.2.3/",
                ]
            ):
                grapnel.action("ssrf", url, name=f"a{n}")
            event = grapnel.send("ssrf").json()["event_id"]
            for delivery in grapnel.wait_state(event, "dead"):
                self.assertEqual(delivery["reason"], "egress_refused", delivery)
                self.assertIn("GRAPNEL_EGRESS_ALLOW", delivery["last_error"])
            self.assertEqual(receiver.requests, [])

    def test_credentials_and_other_schemes_are_refused_when_saved(self):
        with Grapnel() as grapnel:
            grapnel.source("urls")
            for url in (
                "http://user:pass@example.com/",
                "ftp://example.com/",
                "file:///etc/passwd",
                "http://",
                "x",
                "http://0x7f.1/",
                "http://exa mple.com/",
            ):
                answer = grapnel.api(
                    "POST", "/api/sources/urls/actions", {"name": "a", "target_url": url}
                )
                self.assertIn(answer.status, (400, 422), (url, answer))


if __name__ == "__main__":
    unittest.main()
