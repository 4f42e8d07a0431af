#include "surface/api/ops_handler.h"

#include <gtest/gtest.h>

#include "doubles/drive.h"

namespace grapnel::api {
namespace {

class Ops : public testing::Test {
 protected:
  model::HttpResponse get(std::string target, std::string method = "GET") {
    model::HttpRequest request{.method = std::move(method), .target = std::move(target)};
    auto admitted = handler_.admit(request);
    if (auto* refused = std::get_if<model::HttpResponse>(&admitted)) return std::move(*refused);
    return doubles::run(loop_, handler_.handle(std::move(request)));
  }

  async::Loop loop_;
  async::BlockingPool pool_{loop_.get_executor(), 1};
  telemetry::Metrics metrics_{{.version = "test"}};
  std::optional<std::string> reason_;
  OpsHandler handler_{
      {.metrics = metrics_, .pool = &pool_, .why_not_ready = [this] { return reason_; }}};
};

TEST_F(Ops, NotReadyIs503WithTheReasonWhileTheProcessLives) {
  reason_ = "the store's disk is full";
  const auto answer = get("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("disk is full"), std::string::npos);
  EXPECT_EQ(get("/healthz").status, 200);
  reason_ = std::nullopt;
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(Ops, NothingElseIsServedHere) {
  EXPECT_EQ(get("/api/sources").status, 404);
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(get("/metrics", "POST").status, 405);
}

TEST_F(Ops, MetricsAreGatheredOffTheLoop) {
  metrics_.counter("things_total", "Things.").inc(3);
  const auto answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("things_total 3"), std::string::npos);
  EXPECT_EQ(model::find_header(answer.headers, "Content-Type"), telemetry::kMetricsContentType);
}

}  // namespace
}  // namespace grapnel::api
