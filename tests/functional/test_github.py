"""Recorded GitHub deliveries (npm @octokit/webhooks-examples) go through unchanged."""

import json
import pathlib
import unittest

from grapnel import Grapnel, eventually
from receiver import Receiver

EXAMPLES = (
    pathlib.Path(__file__).parent.parent
    / "npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
)


class GitHub(unittest.TestCase):
    def test_every_recorded_payload_is_typed_deduplicated_and_delivered_byte_for_byte(self):
        events = json.loads(EXAMPLES.read_text())
        sent = {}
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("github")
            grapnel.action("github", receiver.url + "/gh")
            for event in events:
                for number, example in enumerate(event["examples"]):
                    body = json.dumps(example, ensure_ascii=False, indent=1).encode()
                    key = f"{event['name']}-{number}"
                    headers = {
                        "Content-Type": "application/json",
                        "X-GitHub-Event": event["name"],
                        "X-GitHub-Delivery": key,
                        "X-Hub-Signature-256": "sha256=0",
                    }
                    answer = grapnel.send("github", body, headers)
                    self.assertEqual(answer.status, 202, answer)
                    action = example.get("action")
                    wanted = event["name"] + (f".{action}" if action else "")
                    sent[answer.json()["event_id"]] = (body, wanted)
                    again = grapnel.send("github", body, headers).json()
                    self.assertEqual(again["status"], "duplicate")
            self.assertGreater(len(sent), 300)
            eventually(lambda: len(receiver.at("/gh")) >= len(sent), 60, "all delivered")
            for got in receiver.at("/gh"):
                self.assertEqual(got.body, sent[got.header("webhook-id")][0])
                self.assertEqual(got.header("X-Hub-Signature-256"), "sha256=0")
            self.assertEqual(len(receiver.at("/gh")), len(sent))
            path, seen = "/api/events?limit=200", {}
            while path:
                page = grapnel.api("GET", path, expect=200)
                seen.update((e["id"], e["type"]) for e in page.json())
                link = page.headers.get("link")
                path = link[link.index("<") + 1 : link.index(">")] if link else None
            self.assertEqual(seen, {k: v[1] for k, v in sent.items()})


if __name__ == "__main__":
    unittest.main()
