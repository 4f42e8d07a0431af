"""What providers ask before they send, and the schemes that no package signs."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import pathlib
import ssl
import subprocess
import tempfile
import time
import unittest

from grapnel import Grapnel, request


def mac(key, text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def make_certificates(folder):
    """A CA, what it signed for a server, a client and a client of the past, and a stranger."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for ca in ("ca", "other"):
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-keyout", f"{ca}.key", "-out", f"{ca}.crt", "-days", "2"),
            *("-subj", f"/CN={ca}", "-addext", "basicConstraints=critical,CA:TRUE"),
        )
    for name, ca, use, days in (
        ("server", "ca", "serverAuth", "2"),
        ("client", "ca", "clientAuth", "2"),
        ("expired", "ca", "clientAuth", "-1"),
        ("stranger", "other", "clientAuth", "2"),
    ):
        pathlib.Path(folder, "ext").write_text(
            f"extendedKeyUsage={use}\nsubjectAltName=IP:127.0.0.1\n"
        )
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
        )
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key"),
            *("-CAcreateserial", "-days", days, "-extfile", "ext", "-out", f"{name}.crt"),
        )


class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.grapnel = Grapnel().start()

    @classmethod
    def tearDownClass(cls):
        cls.grapnel.close()

    def make(self, slug, provider, **fields):
        document = {"name": slug, "provider": provider, "mode": "record", **fields}
        return self.grapnel.api("POST", "/api/sources", document, expect=201).json()

    def send(self, slug, body, headers=None, method="POST", query=""):
        return request(
            self.grapnel.api_address, method, f"/webhooks/{slug}{query}", body, headers or {}
        )

    def events(self, slug):
        return self.grapnel.get(f"/api/events?source={slug}")

    def slack_like(self, slug, names, secret, body):
        now = str(int(time.time()))
        headers = {names[0]: "v0=" + mac(secret, f"v0:{now}:{body}"), names[1]: now}
        return self.send(slug, body, headers)

    def test_slack_gets_its_challenge_once_it_is_signed(self):
        self.make("slack", "slack", secrets=["s3"])
        names = ("X-Slack-Signature", "X-Slack-Request-Timestamp")
        body = '{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV"}'
        answer = self.slack_like("slack", names, "s3", body)
        self.assertEqual((answer.status, answer.body), (200, b"3eZbrw1aBm2rZgRNFdxV"))
        self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertEqual(self.send("slack", body).status, 401)
        self.assertEqual(self.events("slack"), [])
        event = '{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}'
        self.assertEqual(self.slack_like("slack", names, "s3", event).status, 202)
        self.assertEqual(self.slack_like("slack", names, "s3", event).json()["status"], "duplicate")
        stored = self.events("slack")
        self.assertEqual([e["type"] for e in stored], ["message"])

    def test_zoom_gets_its_token_signed(self):
        self.make("zoom", "zoom", secrets=["zs"])
        names = ("x-zm-signature", "x-zm-request-timestamp")
        body = (
            '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}'
        )
        answer = self.slack_like("zoom", names, "zs", body)
        self.assertEqual(
            answer.json(),
            {
                "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
                "encryptedToken": mac("zs", "qgg8vlvZRS6UYooatFL8Aw"),
            },
        )
        self.assertEqual(self.events("zoom"), [])

    def test_meta_gets_its_challenge_for_the_token_that_was_made(self):
        made = self.make("meta", "meta", secrets=["app-secret"])
        token = made["handshake_token"]
        ask = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
        answer = self.send("meta", None, method="GET", query=ask + token)
        self.assertEqual((answer.status, answer.body), (200, b"1158201444"))
        self.assertEqual(self.send("meta", None, method="GET", query=ask + "no").status, 403)
        self.assertEqual(self.send("meta", None, method="GET").status, 403)
        signed = {"X-Hub-Signature-256": "sha256=" + mac("app-secret", "{}")}
        self.assertEqual(self.send("meta", "{}", signed).status, 202)
        self.assertNotIn(token, self.grapnel.log_text())

    def test_discord_refuses_what_its_key_did_not_sign(self):
        self.make("discord", "discord", secrets=["ab" * 32])
        headers = {"X-Signature-Ed25519": "00" * 64, "X-Signature-Timestamp": str(int(time.time()))}
        self.assertEqual(self.send("discord", '{"type":1}', headers).status, 401)

    def test_cloudevents_in_all_modes(self):
        token = self.make("ce", "cloudevents")["secret"]
        bearer = {"Authorization": f"Bearer {token}"}
        allowed = self.send(
            "ce", None, {"WebHook-Request-Origin": "emitter.example.com"}, method="OPTIONS"
        )
        self.assertEqual(allowed.status, 200)
        self.assertEqual(allowed.headers["webhook-allowed-origin"], "emitter.example.com")
        self.assertEqual(allowed.headers["webhook-allowed-rate"], "*")
        self.assertEqual(self.send("ce", None, method="OPTIONS").status, 403)

        def event(id):
            return {"specversion": "1.0", "type": "com.example.t", "source": "/a", "id": id}

        binary = {f"ce-{k}": v for k, v in event("b1").items()}
        first = self.send("ce", "any bytes", {**bearer, **binary})
        self.assertEqual(first.status, 202)
        again = self.send("ce", "any bytes", {**bearer, **binary})
        self.assertEqual(again.json()["status"], "duplicate")
        structured = {"Content-Type": "application/cloudevents+json", **bearer}
        self.assertEqual(self.send("ce", json.dumps(event("s1")), structured).status, 202)
        self.assertEqual(self.send("ce", "{}", structured).status, 422)
        batch = {"Content-Type": "application/cloudevents-batch+json", **bearer}
        answer = self.send("ce", json.dumps([event("s1"), event("s2"), event("s3")]), batch)
        self.assertEqual(answer.status, 202)
        self.assertEqual(
            [e["status"] for e in answer.json()["events"]], ["duplicate", "recorded", "recorded"]
        )
        before = len(self.events("ce"))
        self.assertEqual(self.send("ce", json.dumps([event("x"), {}]), batch).status, 422)
        self.assertEqual(len(self.events("ce")), before)
        unknown = self.send("ce", json.dumps([event("y")]), {**batch, "Authorization": "Bearer x"})
        self.assertEqual(unknown.status, 401)
        self.assertTrue(unknown.headers["www-authenticate"].startswith("Bearer"))
        by_query = dict(structured)
        del by_query["Authorization"]
        answer = self.send("ce", json.dumps(event("q1")), by_query, query=f"?access_token={token}")
        self.assertEqual(answer.status, 202)
        self.assertNotIn(token, json.dumps(self.grapnel.get("/api/events?source=ce")))
        self.assertNotIn(token, self.grapnel.log_text())

    def test_tokens_are_kept_as_digests_and_a_failure_can_be_explained(self):
        made = self.make("door", "api-key", quarantine=True)
        self.assertEqual(self.send("door", "1", {"X-Api-Key": made["secret"]}).status, 202)
        self.assertEqual(self.send("door", "2", {"X-Api-Key": "guess"}).status, 401)
        kept = self.grapnel.get("/api/sources/door/quarantine")[0]
        why = self.grapnel.api(
            "POST", "/api/sources/door/verify", {"quarantined": kept["id"]}, expect=200
        ).json()
        self.assertFalse(why["sent_is_a_secret_of_the_source"])
        event = self.events("door")[0]["id"]
        why = self.grapnel.api(
            "POST", "/api/sources/door/verify", {"event": event}, expect=200
        ).json()
        self.assertTrue(why["sent_is_a_secret_of_the_source"])
        self.assertNotIn("guess", json.dumps(kept) + self.grapnel.log_text())

    def test_basic(self):
        self.make("basic", "basic", secrets=["user:pass"])
        right = base64.b64encode(b"user:pass").decode()
        self.assertEqual(self.send("basic", "1", {"Authorization": f"Basic {right}"}).status, 202)
        answer = self.send("basic", "1", {"Authorization": "Basic dXNlcjpubw=="})
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.headers["www-authenticate"], 'Basic realm="webhooks"')

    def test_any_hmac(self):
        verify = {
            "header": "X-Sig",
            "algorithm": "sha512",
            "encoding": "base64",
            "prefix": "v=",
            "signed": "{timestamp}|{body}",
            "timestamp": "header:X-Time",
            "tolerance": "1m",
        }
        secret = self.make("any", "hmac", verify=verify)["secret"]

        def headers(now):
            digest = hmac.new(secret.encode(), f"{now}|body".encode(), hashlib.sha512).digest()
            return {"X-Sig": "v=" + base64.b64encode(digest).decode(), "X-Time": str(now)}

        self.assertEqual(self.send("any", "body", headers(int(time.time()))).status, 202)
        self.assertEqual(self.send("any", "body", headers(int(time.time()) - 90)).status, 401)

    def test_large_bodies_are_verified(self):
        self.make("large", "github", secrets=["k"], body_max="8MiB")
        body = "x" * 3_000_000
        headers = {"X-Hub-Signature-256": "sha256=" + mac("k", body)}
        self.assertEqual(self.send("large", body, headers).status, 202)
        self.assertEqual(self.send("large", body[:-1] + "y", headers).status, 401)

    def test_definitions_that_make_no_sense_are_told(self):
        def create(**fields):
            return self.grapnel.api("POST", "/api/sources", {"name": "wrong", **fields})

        answer = create(provider="stripe")
        self.assertEqual(answer.status, 422)
        self.assertIn("signing secret", answer.json()["detail"])
        self.assertEqual(create(provider="githab").status, 400)
        self.assertEqual(create(provider="hmac").status, 400)
        self.assertEqual(create(provider="discord", secrets=["short"]).status, 400)
        self.assertEqual(create(secrets=["x"]).status, 400)
        self.assertEqual(create(verify={"header": "X"}).status, 400)
        self.assertEqual(create(provider="github", verify={"signd": "x"}).status, 400)

    def test_https_where_it_is_required(self):
        self.make("tls", "github", secrets=["k"], require_https=True)
        headers = {"X-Hub-Signature-256": "sha256=" + mac("k", "{}")}
        self.assertEqual(self.send("tls", "{}", headers).status, 403)

    def test_client_certificates_of_the_sources_own_ca(self):
        with tempfile.TemporaryDirectory() as folder:
            make_certificates(folder)
            bundle = pathlib.Path(folder, "ca.crt").read_text()
            config = (
                f"tls: {{cert: {folder}/server.crt, key: {folder}/server.key, "
                "ask_client_certificate: true}\n"
            )

            def ask(path, method="POST", body="{}", client=None, headers=None):
                context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
                context.check_hostname = False
                if client:
                    context.load_cert_chain(f"{folder}/{client}.crt", f"{folder}/{client}.key")
                host, port = grapnel.api_address.rsplit(":", 1)
                connection = http.client.HTTPSConnection(host, int(port), context=context)
                with contextlib.closing(connection):
                    connection.request(method, path, body, headers or {})
                    answer = connection.getresponse()
                    return answer.status, answer.read()

            grapnel = Grapnel(config=config).start()
            try:
                authorized = {
                    "Authorization": f"Bearer {grapnel.key()}",
                    "Content-Type": "application/json",
                }
                document = {"name": "m", "provider": "mtls", "verify": {"ca_bundle": "none"}}
                status, text = ask("/api/sources", body=json.dumps(document), headers=authorized)
                self.assertEqual(status, 400, text)
                document["verify"] = {"ca_bundle": bundle}
                status, text = ask("/api/sources", body=json.dumps(document), headers=authorized)
                self.assertEqual(status, 201, text)
                self.assertEqual(ask("/webhooks/m", client="client")[0], 202)
                self.assertEqual(ask("/webhooks/m", client="stranger")[0], 401)
                self.assertEqual(ask("/webhooks/m", client="server")[0], 401)
                self.assertEqual(ask("/webhooks/m", client="expired")[0], 401)
                self.assertEqual(ask("/webhooks/m")[0], 401)
                metrics = request(grapnel.ops_address, "GET", "/metrics").body.decode()
                self.assertIn('webhooks_refused_total{reason="bad_certificate"} 4', metrics)
            finally:
                grapnel.close()

    def test_secrets_survive_a_restart_and_stay_unseen(self):
        with Grapnel() as grapnel:
            made = grapnel.api(
                "POST", "/api/sources", {"name": "gh", "provider": "github"}, expect=201
            ).json()
            shown = grapnel.api("GET", "/api/sources/gh").body.decode()
            self.assertNotIn(made["secret"], shown)
            grapnel.kill()
            grapnel.start()
            headers = {"X-Hub-Signature-256": "sha256=" + mac(made["secret"], "{}")}
            self.assertEqual(grapnel.send("gh", b"{}", headers).status, 202)
            stored = b"".join(p.read_bytes() for p in grapnel.data.glob("*") if p.is_file())
            self.assertNotIn(made["secret"].encode(), stored)


if __name__ == "__main__":
    unittest.main()
