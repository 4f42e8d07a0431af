"""Scripts as a user meets them: transforms, script actions, mistakes, limits, versions, trials."""

import json
import time
import unittest

from grapnel import Grapnel, eventually
from receiver import Receiver, answer

CHANGES = """function transform(event) {
  console.log('saw', event.type)
  return {
    type: 'made.' + event.payload.kind,
    payload: {kind: event.payload.kind, total: event.payload.total / 100},
    headers: {'X-Made': 'yes', 'X-Sent': null, 'webhook-signature': 'v1,forged'},
  }
}"""


class Scripts(unittest.TestCase):
    def setUp(self):
        self.receiver = self.enterContext(Receiver())
        self.grapnel = self.enterContext(Grapnel())

    def only_event(self, source):
        events = self.grapnel.get(f"/api/events?source={source}")
        self.assertEqual(len(events), 1)
        return events[0]

    def transform_of(self, event):
        found = [d for d in self.grapnel.deliveries(f"&event={event}") if d["kind"] == "transform"]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_action_gets_what_the_script_made_and_the_event_stays_as_received(self):
        source = self.grapnel.source("shop", script_body=CHANGES)
        self.assertEqual(source["script_version"], 1)
        self.grapnel.action("shop", self.receiver.on("/in", answer()), name="in")
        body = b'{"kind":"order", "total": 1250}'
        sent = self.grapnel.send("shop", body, {"X-Sent": "1", "X-Kept": "2"}).json()
        self.assertEqual(sent["status"], "accepted")
        self.grapnel.wait_state(sent["event_id"], "delivered")
        got = self.receiver.at("/in")[0]
        self.assertEqual(json.loads(got.body), {"kind": "order", "total": 12.5})
        self.assertEqual(got.header("X-Made"), "yes")
        self.assertEqual(got.header("X-Kept"), "2")
        self.assertIsNone(got.header("X-Sent"))
        self.assertNotIn("forged", got.header("webhook-signature"))
        event = self.only_event("shop")
        self.assertEqual((event["status"], event["run"]), ("done", 1))
        path = f"/api/events/{event['id']}/body"
        self.assertEqual(self.grapnel.api("GET", path, expect=200).body, body)
        self.assertEqual(self.grapnel.api("GET", path + "?run=1", expect=200).body, got.body)
        attempts = self.grapnel.get(
            f"/api/deliveries/{self.transform_of(event['id'])['id']}/attempts"
        )
        self.assertEqual(attempts[0]["console"], "saw webhook")
        delivery = [d for d in self.grapnel.deliveries() if d["kind"] == "action"][0]
        self.assertEqual(delivery["event_type"], "made.order")

    def test_dropped_split_and_chosen(self):
        self.grapnel.source(
            "many",
            script_body="""function transform(event) {
              const n = event.payload.n
              if (n === 0) return null
              if (n === 1) return [{payload: 'a'}, {payload: 'b', actions: ['two']}]
              return {actions: event.actions.filter(a => a.name === 'one')}
            }""",
        )
        self.grapnel.action("many", self.receiver.on("/one", answer()), name="one")
        self.grapnel.action("many", self.receiver.on("/two", answer()), name="two")
        events = [
            self.grapnel.send("many", json.dumps({"n": n}).encode()).json()["event_id"]
            for n in range(3)
        ]
        eventually(lambda: len(self.receiver.requests) >= 4, what="four deliveries")
        time.sleep(0.2)
        self.assertEqual(
            sorted((r.path, r.body) for r in self.receiver.requests),
            [("/one", b'"a"'), ("/one", b'{"n": 2}'), ("/two", b'"a"'), ("/two", b'"b"')],
        )
        self.assertEqual(self.grapnel.get(f"/api/events/{events[0]}")["status"], "dropped")
        splits = self.grapnel.get(f"/api/events/{events[1]}/splits")
        self.assertEqual([s["parent_id"] for s in splits], [events[1]] * 2)
        again = self.grapnel.api("POST", f"/api/events/{splits[0]['id']}/replay", expect=409)
        self.assertTrue(again.json()["type"].endswith("is-split"))
        self.grapnel.api("GET", f"/api/events/{events[2]}/body?run=9", expect=404)

    def test_mistakes_are_told_when_a_script_is_saved(self):
        for script, status, sentence in [
            ("function transform(event) {\n  return {\n", 422, "line 3"),
            ("function transfrom(event) {}", 422, "transform"),
            ("const x = 1", 422, "transform"),
            ("x" * 65_537, 400, "65536"),
        ]:
            refused = self.grapnel.api(
                "POST", "/api/sources", {"name": "bad", "script_body": script}
            )
            self.assertEqual(refused.status, status, refused)
            self.assertIn("script_body", refused.json()["detail"])
            self.assertIn(sentence, refused.json()["detail"])
        self.grapnel.source("good")
        refused = self.grapnel.api(
            "POST", "/api/sources/good/actions", {"type": "javascript", "name": "js"}
        )
        self.assertIn("script_body", refused.json()["detail"])

    def test_failing_script_dies_visibly_and_goes_on_when_it_is_mended(self):
        self.grapnel.source("bad", script_body="function transform(e) {\n  return e.payload.a.b\n}")
        self.grapnel.action("bad", self.receiver.on("/in", answer()), name="in")
        event = self.grapnel.send("bad", b'{"n":1}').json()["event_id"]
        eventually(lambda: self.only_event("bad")["status"] == "dead", 30, "dead")
        dead = self.grapnel.get("/api/dead-letters")
        self.assertEqual([(d["kind"], d["event_id"]) for d in dead], [("transform", event)])
        self.assertIn("line 2", dead[0]["last_error"])
        self.grapnel.api(
            "PATCH", "/api/sources/bad", {"script_body": "function transform(e) { return {} }"}
        )
        replayed = self.grapnel.cli("replay", "dead-letters", "--source", "bad", "--wait")
        self.assertEqual(replayed.returncode, 0, replayed.stderr)
        eventually(lambda: self.receiver.at("/in"), what="delivered after all")
        self.assertEqual(self.only_event("bad")["run"], 2)
        self.assertEqual(self.grapnel.get("/api/dead-letters"), [])

    def test_endless_scripts_hold_nobody_up(self):
        self.grapnel.source("endless", script_body="function transform(e) { for (;;) {} }")
        self.grapnel.source(
            "greedy",
            script_body="function transform(e) {for (const a = [];;) a.push(new ArrayBuffer(1e7))}",
        )
        self.grapnel.source("good", script_body="function transform(e) { return {} }")
        self.grapnel.action("good", self.receiver.on("/good", answer()), name="in")
        self.grapnel.send("good")
        eventually(lambda: self.receiver.at("/good"), what="warm")
        for _ in range(20):
            self.grapnel.send("endless")
            self.grapnel.send("greedy")
        slowest = 0.0
        for n in range(30):
            began = time.monotonic()
            self.grapnel.send("good")
            eventually(lambda: len(self.receiver.at("/good")) >= n + 2, 10, "good one")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.05)
        print(f"slowest of 30 beside 40 hostile ones: {slowest * 1000:.0f} ms", flush=True)
        eventually(
            lambda: len(self.grapnel.get("/api/dead-letters?limit=200")) == 40, 120, "all dead"
        )
        faults = {
            d["last_error"].split(":")[1].strip()
            for d in self.grapnel.get("/api/dead-letters?limit=200")
        }
        self.assertEqual(faults, {"timeout", "memory"})
        metrics = self.grapnel.metrics()
        self.assertGreaterEqual(metrics['script_calls_total{fault="timeout"}'], 60)

    def test_javascript_action_keeps_its_result_and_console(self):
        self.grapnel.source("calc")
        action = self.grapnel.api(
            "POST",
            "/api/sources/calc/actions",
            {
                "type": "javascript",
                "name": "sum",
                "script_body": "function process(e) { console.warn('hi'); return e.payload.a + 1 }",
            },
            expect=201,
        ).json()
        self.assertEqual(action["type"], "javascript")
        event = self.grapnel.send("calc", b'{"a":41}').json()["event_id"]
        delivery = self.grapnel.wait_state(event, "delivered")[0]
        attempt = self.grapnel.get(f"/api/deliveries/{delivery['id']}/attempts")[0]
        self.assertEqual((attempt["response_body"], attempt["console"]), ("42", "hi"))

    def test_versions_are_kept_and_scripts_tried_on_stored_events(self):
        self.grapnel.source("v", mode="record", script_body="function transform(e) { return {} }")
        self.grapnel.api(
            "PATCH",
            "/api/sources/v",
            {"script_body": "function transform(e) { return null }"},
            expect=200,
        )
        versions = self.grapnel.get("/api/sources/v/scripts")
        self.assertEqual([(v["version"], v["current"]) for v in versions], [(2, True), (1, False)])
        first = self.grapnel.get("/api/sources/v/scripts/1")["script_body"]
        self.grapnel.api("PATCH", "/api/sources/v", {"script_body": first}, expect=200)
        self.assertEqual(self.grapnel.get("/api/sources/v")["script_version"], 3)
        self.grapnel.api("GET", "/api/sources/v/scripts/9", expect=404)
        event = self.grapnel.send("v", b'{"n":7}').json()["event_id"]
        trial = {
            "event_id": event,
            "script_body": "function transform(e) {console.log(e.payload.n); return {payload: 8}}",
        }
        tried = self.grapnel.api("POST", "/api/sources/v/scripts/try", trial, expect=200).json()
        self.assertEqual(tried, {"returned": {"payload": 8}, "console": "7", "error": None})
        trial["script_body"] = "function transform(e) {\n  throw new Error('no')\n}"
        tried = self.grapnel.api("POST", "/api/sources/v/scripts/try", trial, expect=200).json()
        self.assertEqual((tried["error"]["fault"], tried["error"]["line"]), ("thrown", 2))
        self.assertEqual(self.grapnel.deliveries(), [])
        self.grapnel.api("PATCH", "/api/sources/v", {"script_body": ""}, expect=200)
        self.assertIsNone(self.grapnel.get("/api/sources/v")["script_body"])

    def test_source_may_be_called_actions(self):
        self.grapnel.source("actions", script_body="function transform(e) { return {} }")
        self.assertEqual(len(self.grapnel.get("/api/sources/actions/scripts")), 1)
        self.assertTrue(self.grapnel.get("/api/sources/actions/scripts/1")["current"])
        self.grapnel.api("GET", "/api/sources/actions/scripts/1x", expect=404)

    def test_manifest_takes_scripts_from_files(self):
        (self.grapnel.directory / "t.js").write_text("function transform(e) { return {} }\n")
        manifest = self.grapnel.directory / "m.yaml"
        manifest.write_text("sources:\n  - slug: files\n")
        self.assertEqual(self.grapnel.cli("apply", "-f", str(manifest)).returncode, 0)
        manifest.write_text(
            "sources:\n  - slug: files\n    script_body: {file: t.js}\n    actions:\n"
            "      - name: js\n        type: javascript\n"
            "        script_body: |\n          function process(e) { return 1 }\n"
        )
        applied = self.grapnel.cli("apply", "-f", str(manifest))
        self.assertEqual(applied.returncode, 0, applied.stdout + applied.stderr)
        again = self.grapnel.cli("apply", "-f", str(manifest))
        self.assertIn("2 unchanged", again.stdout)
        actions = self.grapnel.get("/api/sources/files/actions")
        self.assertEqual([a["name"] for a in actions], ["js"])  # the transform is no action of it

    def test_scripts_survive_a_kill(self):
        self.grapnel.source("k", script_body="function transform(e) { return {payload: 'k'} }")
        down = {"up": False}

        def sometimes(connection, got):
            return answer(200 if down["up"] else 503)(connection, got)

        retry = {"schedule": ["300ms"] * 50, "policy": "any"}
        self.grapnel.action("k", self.receiver.on("/k", sometimes), name="k", retry=retry)
        for _ in range(50):
            self.assertEqual(self.grapnel.send("k").status, 202)
        self.grapnel.kill()
        self.grapnel.start()
        down["up"] = True
        eventually(
            lambda: all(d["state"] == "delivered" for d in self.grapnel.deliveries())
            and len(self.grapnel.deliveries()) == 100,
            60,
            "all of 50 transforms and 50 deliveries",
        )
        self.assertEqual({r.body for r in self.receiver.at("/k")}, {b'"k"'})


if __name__ == "__main__":
    unittest.main()
