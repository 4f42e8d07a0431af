#include "surface/cli/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surface/cli/scripted_terminal.h"

namespace grapnel::cli {
namespace {

using testing::HasSubstr;

constexpr std::string_view kDelivery = R"({
  "id":"dlv_1","event_id":"evt_1","event_type":"order.paid","source_id":"src_1","source":"demo",
  "action_id":"act_1","action":"echo","state":"dead","status":"dead","attempts":2,"tries_used":2,
  "created_at":"2025-12-31T23:50:00.000Z","next_attempt_at":null,
  "ended_at":"2025-12-31T23:55:00.000Z","reason":"retries_exhausted",
  "last_error":"status: 503","last_status":503,"run":1,"replay_of":null,"replayed_by":null,
  "cancel_requested":false,"waits_for_order":false,"skipped":true})";

constexpr std::string_view kAttempts = R"([{
  "id":"att_1","number":1,"started_at":"2025-12-31T23:50:00.000Z","duration_ms":12.5,
  "timings":{"dns_ms":null,"connect_ms":0.4,"tls_ms":null,"first_byte_ms":11.9},
  "result":"failed","step":"status","response_status":503,
  "response_headers":[["Retry-After","5"]],"response_body":"down\nfor \u001b[31mnow",
  "error":"status: 503","action_revision":7,
  "request":{"method":"POST","url":"http://127.0.0.1:9999/","body_url":"/api/events/evt_1/body",
             "headers":[["webhook-id","evt_1"]],"complete":true}}])";

TEST(Describe, DeliveryShowsEverythingAboutIt) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/deliveries/dlv_1", 200, std::string(kDelivery));
  terminal.answer("GET /api/deliveries/dlv_1/attempts?limit=200", 200, std::string(kAttempts));
  EXPECT_EQ(terminal.run({"describe", "delivery", "dlv_1"}), 0) << terminal.err;
  EXPECT_EQ(terminal.out, R"(Delivery:     dlv_1
State:        dead
Reason:       retries_exhausted
Event:        evt_1 (order.paid)
Source:       demo (src_1)
Action:       echo (act_1)
Created:      2025-12-31T23:50:00.000Z (10m ago)
Ended:        2025-12-31T23:55:00.000Z (5m ago)
Attempts:     2, 2 counted as failures
Last status:  503
Last error:   status: 503
Run:          1
Note:         its ordering key went on without it
Attempts:
  #1  2025-12-31T23:50:00.000Z (10m ago)  failed, answered 503:
    Attempt:        att_1
    Error:          status: 503
    Failed step:    status
    Took:           12.5 ms (connect 0.4, first byte 11.9)
    Request:        POST http://127.0.0.1:9999/
    Request body:   /api/events/evt_1/body
    Configuration:  revision 7
    Request headers:
      webhook-id: evt_1
    Response headers:
      Retry-After: 5
    Response body (its beginning):
      down
      for \x1b[31mnow
)");
}

TEST(Describe, ProgramsGetOneDocument) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/deliveries/dlv_1", 200, R"({"id":"dlv_1"})");
  terminal.answer("GET /api/deliveries/dlv_1/attempts?limit=200", 200, "[]");
  EXPECT_EQ(terminal.run({"describe", "delivery", "dlv_1", "-o", "yaml"}), 0);
  EXPECT_EQ(terminal.out, "delivery:\n  id: dlv_1\nattempts: []\n");
}

TEST(Describe, EventShowsHeadersAndDeliveries) {
  ScriptedTerminal terminal;
  terminal.answer(
      "GET /api/events/evt_1", 200,
      R"({"id":"evt_1","type":"ping","source":"demo","source_id":"src_1",)"
      R"("status":"done","received_at":"2025-12-31T23:59:00Z","method":"POST",)"
      R"("target":"/webhooks/demo","body_size":12,"idempotency_key":"k",)"
      R"("idempotency_place":"header:webhook-id","headers":[["Content-Type","text/plain"]]})");
  terminal.answer("GET /api/deliveries?event=evt_1&limit=200", 200,
                  R"([{"id":"dlv_1","state":"retrying","attempts":1,"action":"echo",)"
                  R"("last_error":"connect: refused"}])");
  EXPECT_EQ(terminal.run({"describe", "event", "evt_1"}), 0) << terminal.err;
  EXPECT_THAT(terminal.out, HasSubstr("Idempotency key:  k (from header:webhook-id)\n"));
  EXPECT_THAT(terminal.out, HasSubstr("Headers:\n  Content-Type: text/plain\n"));
  EXPECT_THAT(terminal.out, HasSubstr("Deliveries:\n  dlv_1  retrying  1 attempts  to echo  "
                                      "(connect: refused)\n"));
}

TEST(Describe, ActionAndSourceShowDefinitionAndOpenWork) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources/demo/actions/echo", 200,
                  R"({"id":"act_1","name":"echo","health":{"status":"gone","reason":"410"},)"
                  R"("retry":{"schedule":["5s","5m"],"policy":"any"},"ca_bundle":"a\nb\n"})");
  const std::string work =
      "GET /api/deliveries?source=demo&action=act_1&"
      "state=pending%2Crunning%2Cretrying%2Cdead&limit=50";
  terminal.answer(work, 200, "[]");
  EXPECT_EQ(terminal.run({"describe", "action", "demo/echo"}), 0) << terminal.err;
  EXPECT_THAT(terminal.out, HasSubstr("Health:  status gone, reason 410\n"));
  EXPECT_THAT(terminal.out, HasSubstr("Retry:   schedule 5s, 5m, policy any\n"));
  EXPECT_THAT(terminal.out, HasSubstr("Ca bundle:\n  a\n  b\n"));
  terminal.answer("GET /api/sources/demo", 200, R"({"slug":"demo","mode":"active"})");
  terminal.answer(
      "GET /api/sources/demo/actions?limit=200", 200,
      R"([{"name":"echo","state":"active","health":{"status":"ok"},"target_url":"http://x/"}])");
  terminal.answer(
      "GET /api/deliveries?source=demo&state=pending%2Crunning%2Cretrying%2Cdead&"
      "limit=50",
      200, "[]");
  EXPECT_EQ(terminal.run({"describe", "source", "demo"}), 0) << terminal.err;
  EXPECT_THAT(terminal.out, HasSubstr("Webhooks to:  http://127.0.0.1:8080/webhooks/demo\n"));
  EXPECT_THAT(terminal.out, HasSubstr("  echo  active, health ok  to http://x/\n"));
}

TEST(Describe, WhatIsNotThereIsExitCode4) {
  ScriptedTerminal terminal;
  EXPECT_EQ(terminal.run({"describe", "event", "evt_1"}), 4);
}

}  // namespace
}  // namespace grapnel::cli
