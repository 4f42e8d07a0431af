#include "surface/api/handler.h"

#include <fmt/format.h>

#include "surface/api/limits.h"
#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

using Handler = ApiRig;

TEST_F(Handler, WithoutAKeyNothingUnderApiCanBeToldApart) {
  make_source("known");
  const auto known = ask({.target = "/api/sources/known"});
  EXPECT_EQ(known.status, 401);
  EXPECT_NE(header_of(known, "WWW-Authenticate"), "");
  for (const auto* target : {"/api/sources/unknown", "/api", "/api/nothing", "/api/sources?x=1"}) {
    EXPECT_EQ(ask({.target = target}).body, known.body) << target;
    EXPECT_EQ(ask({.method = "PATCH", .target = target}).body, known.body) << target;
  }
}

TEST_F(Handler, ABodyWithoutAKeyIsRefusedBeforeItIsRead) {
  model::HttpRequest head{.method = "POST", .target = "/api/sources"};
  const auto admitted = handler_->admit(head);
  ASSERT_TRUE(std::holds_alternative<model::HttpResponse>(admitted));
  EXPECT_EQ(std::get<model::HttpResponse>(admitted).status, 401);
}

TEST_F(Handler, WrongExpiredAndDeletedKeysAreOneAnswer) {
  const std::string key = make_key("read");
  EXPECT_EQ(ask({.target = "/api/sources", .key = key}).status, 200);
  const auto wrong = ask({.target = "/api/sources", .key = key + "x"});
  EXPECT_EQ(wrong.status, 401);

  const auto made = expect(
      201, admin("POST", "/api/keys", R"({"name":"short","expires_at":"2999-01-01T00:00:00Z"})"));
  const std::string expiring(made.at("key").as_string());
  auto row = store_.snapshot()->keys.at(*model::KeyId::parse(made.at("id").as_string()));
  EXPECT_EQ(ask({.target = "/api/sources", .key = expiring}).status, 200);
  row.expires = store_.clock().now();
  ASSERT_TRUE(doubles::run(loop_, store_.commit({model::PutKey{row}})));
  EXPECT_EQ(ask({.target = "/api/sources", .key = expiring}).body, wrong.body);

  EXPECT_EQ(admin("DELETE", "/api/keys/" + row.id.str()).status, 204);
  EXPECT_EQ(ask({.target = "/api/sources", .key = expiring}).body, wrong.body);
  EXPECT_EQ(ask({.target = "/api/sources", .key = std::string(kTokenBytesMax + 1, 'k')}).body,
            wrong.body);
}

TEST_F(Handler, KeysAreTakenFromBothHeaders) {
  const std::string key = make_key("read");
  EXPECT_EQ(ask({.target = "/api/sources", .headers = {{"X-Api-Key", key}}}).status, 200);
  EXPECT_EQ(ask({.target = "/api/sources", .headers = {{"authorization", "bearer " + key}}}).status,
            200);
  EXPECT_EQ(ask({.target = "/api/sources", .headers = {{"Authorization", "Basic eA=="}}}).status,
            401);
  EXPECT_EQ(ask({.target = "/api/sources?key=" + key}).status, 401);
}

TEST_F(Handler, EachScopeReachesItsRoutesAndNoFurther) {
  make_source("a");
  const std::string ingest = make_key("ingest");
  const std::string read = make_key("read");
  const std::string write = make_key("write");
  const auto status = [this](const std::string& key, std::string method, std::string target) {
    return ask({.method = std::move(method), .target = std::move(target), .key = key}).status;
  };
  EXPECT_EQ(status(ingest, "GET", "/api/sources"), 403);
  EXPECT_EQ(status(read, "GET", "/api/sources"), 200);
  EXPECT_EQ(status(read, "DELETE", "/api/sources/a"), 403);
  EXPECT_EQ(status(read, "GET", "/api/keys"), 403);
  EXPECT_EQ(status(write, "GET", "/api/keys"), 403);
  EXPECT_EQ(status(write, "DELETE", "/api/sources/a"), 204);
}

TEST_F(Handler, WithoutKeysEverybodyIsAdminButForeignPagesAreRefused) {
  use_auth({.mode = AuthMode::none});
  EXPECT_EQ(ask({.target = "/api/keys"}).status, 200);
  const Ask foreign{.method = "POST",
                    .target = "/api/replays",
                    .body = "{}",
                    .headers = {{"Sec-Fetch-Site", "cross-site"}}};
  EXPECT_EQ(ask(foreign).status, 403);
  // Without TLS browsers leave Fetch Metadata out; Origin is what they always send.
  const auto from = [&](const char* origin) {
    return ask({.method = "POST",
                .target = "/api/sources",
                .body = R"({"name":"made"})",
                .headers = {{"Host", "10.0.0.5:8080"}, {"Origin", origin}}})
        .status;
  };
  EXPECT_EQ(from("http://evil.test"), 403);
  EXPECT_EQ(from("null"), 403);
  EXPECT_EQ(from("http://10.0.0.5:8080"), 201);
}

TEST_F(Handler, WithoutKeysOnlyAddressesAndPrivateNamesAreServed) {
  const Ask keyed{
      .target = "/api/sources", .key = make_key("read"), .headers = {{"Host", "a.test"}}};
  EXPECT_EQ(ask(keyed).status, 200);
  use_auth({.mode = AuthMode::none});
  const auto status = [this](const char* host) {
    return ask({.target = "/api/sources", .headers = {{"Host", host}}}).status;
  };
  for (const char* host :
       {"127.0.0.1:8080", "[::1]:8080", "localhost", "grapnel:8080", "a.localhost",
        "grapnel.ops.svc", "grapnel.ops.svc.cluster.local:8080", "LOCALHOST."}) {
    EXPECT_EQ(status(host), 200) << host;
  }
  for (const char* host : {"evil.test", "evil.test:8080", "evil.test.", "127.0.0.1.evil.test",
                           "localhost.evil.test:80", "svc.evil.test", ".svc"}) {
    EXPECT_EQ(status(host), 403) << host;
  }
}

TEST_F(Handler, UnknownPathsAre404AndWrongMethodsNameTheRightOnes) {
  EXPECT_EQ(ask({.target = "/"}).status, 404);
  EXPECT_EQ(ask({.target = "*"}).status, 404);
  EXPECT_EQ(ask({.target = "/webhooks/"}).status, 404);
  EXPECT_EQ(ask({.target = "/webhooks/a/b"}).status, 404);
  EXPECT_EQ(admin("GET", "/api/nothing").status, 404);
  EXPECT_EQ(admin("GET", "/api/sources/").status, 404);
  const auto wrong = admin("PUT", "/api/sources");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(header_of(wrong, "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(ask({.method = "POST", .target = "/health"}).status, 405);
}

TEST_F(Handler, HealthNeedsNoKey) {
  EXPECT_EQ(ask({.target = "/health"}).status, 200);
  EXPECT_EQ(ask({.target = "/healthz"}).status, 200);
  EXPECT_EQ(ask({.method = "HEAD", .target = "/healthz"}).status, 200);
}

TEST_F(Handler, UnknownQueryParametersAreNamed) {
  const auto answer = admin("GET", "/api/events?sorce=x");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("sorce"), std::string::npos);
}

TEST_F(Handler, DocumentsMustBeJsonAndSaidToBe) {
  EXPECT_EQ(ask({.method = "POST",
                 .target = "/api/sources",
                 .body = R"({"name":"x"})",
                 .key = admin_key_,
                 .headers = {{"Content-Type", "text/plain"}}})
                .status,
            415);
  EXPECT_EQ(admin("POST", "/api/sources").status, 400);
  EXPECT_EQ(admin("POST", "/api/sources", R"({"name":"x","name":"y"})").status, 400);
  EXPECT_EQ(admin("POST", "/api/sources", std::string(kJsonBytesMax + 1, ' ')).status, 413);
}

TEST_F(Handler, RoutesWithoutADocumentRefuseOne) {
  make_source("a");
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  EXPECT_EQ(admin("POST", "/api/sources/a/actions/x/enable", R"({"force":true})").status, 400);
  EXPECT_EQ(admin("POST", "/api/sources/a/actions/x/enable", "{}").status, 200);
}

TEST_F(Handler, UsesOfKeysAreWrittenOnceAMinute) {
  const std::string key = make_key("read");
  handler_->start();
  const auto last_used = [this] {
    const auto snapshot = store_.snapshot();
    return snapshot->keys.begin()->second.last_used;
  };
  ask({.target = "/api/sources", .key = key});
  doubles::run_ready(loop_);
  EXPECT_FALSE(last_used());
  timers_.advance(kTouchEvery);
  doubles::run_ready(loop_);
  ASSERT_TRUE(last_used());
  const auto first = *last_used();
  timers_.advance(kTouchEvery * 2);
  EXPECT_EQ(last_used(), first) << "an unused key is left alone";
}

TEST_F(Handler, StoppingWritesTheUsesThatAreGathered) {
  const std::string key = make_key("read");
  handler_->start();
  ask({.target = "/api/sources", .key = key});
  doubles::run(loop_, handler_->stop());
  EXPECT_TRUE(store_.snapshot()->keys.begin()->second.last_used);
}

TEST_F(Handler, FaultsOfTheServerAreProblemDocumentsThatEndTheConnection) {
  using model::HttpFault;
  const std::vector<std::pair<HttpFault, int>> all{{HttpFault::bad_request, 400},
                                                   {HttpFault::timeout, 408},
                                                   {HttpFault::length_required, 411},
                                                   {HttpFault::body_too_large, 413},
                                                   {HttpFault::head_too_large, 431},
                                                   {HttpFault::too_many_in_flight, 429},
                                                   {HttpFault::unsupported_transfer_coding, 501}};
  for (const auto& [fault, status] : all) {
    const auto answer = handler_->fault(fault, {});
    EXPECT_EQ(answer.status, status);
    EXPECT_TRUE(answer.close);
    EXPECT_EQ(expect(status, answer).at("status"), status);
    EXPECT_EQ(header_of(answer, "Retry-After").empty(), fault != HttpFault::too_many_in_flight);
  }
}

TEST_F(Handler, EveryAnswerUnderApiIsCountedOnceWhoeverRefusesIt) {
  make_source("a");
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  const auto counted = [this](std::string_view route, std::string_view method, int status) {
    const std::string text = metrics_.expose();
    const std::string line = fmt::format(
        "api_requests_total{{route=\"{}\",method=\"{}\",status=\"{}\"}} ", route, method, status);
    const auto at = text.find(line);
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + line.size()));
  };
  EXPECT_EQ(admin("POST", "/api/sources/a/actions/x/enable", R"({"force":true})").status, 400);
  EXPECT_EQ(counted("/api/sources/{source}/actions/{action}/enable", "POST", 400), 1);
  EXPECT_EQ(ask({.target = "/api/sources"}).status, 401);
  const model::HttpRequest late{.method = "GET", .target = "/api/sources"};
  EXPECT_EQ(doubles::run(loop_, handler_->handle(late)).status, 401)
      << "a key that ended while the body arrived";
  EXPECT_EQ(counted("none", "any", 401), 2);
  EXPECT_EQ(handler_->fault(model::HttpFault::timeout, late).status, 408);
  EXPECT_EQ(handler_->fault(model::HttpFault::timeout, {.target = "/webhooks/a"}).status, 408);
  EXPECT_EQ(counted("none", "any", 408), 1) << "webhooks are counted elsewhere";
}

TEST_F(Handler, StoreThatIsDownIs503OnEveryChange) {
  make_source("a");
  make_action("a", R"({"name":"x","target_url":"http://t/"})");
  store_.set_outage(model::errc::store_full);
  const std::vector<std::pair<std::string, std::string>> changes{
      {"/api/sources", R"({"name":"b"})"},
      {"/api/sources/a/actions", R"({"target_url":"http://t/"})"},
      {"/api/sources/a/actions/x/enable", ""},
      {"/api/keys", R"({"name":"k"})"},
      {"/api/replays", "{}"}};
  for (const auto& [target, body] : changes) {
    const auto answer = admin("POST", target, body);
    EXPECT_EQ(answer.status, 503) << target << answer.body;
    EXPECT_NE(header_of(answer, "Retry-After"), "") << target;
  }
}

}  // namespace
}  // namespace grapnel::api
