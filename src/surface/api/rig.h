// The public handler over the memory store, for tests: requests go in as the server gives them,
// admit first, and everything that comes out is kept.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "doubles/drive.h"
#include "doubles/manual_clock.h"
#include "doubles/manual_timers.h"
#include "doubles/memory_store.h"
#include "doubles/scripted_sandbox.h"
#include "doubles/scripted_sender.h"
#include "pipeline/ingest.h"
#include "pipeline/metrics.h"
#include "surface/api/handler.h"

namespace grapnel::api {

/// Leases nothing at birth, so that deliveries stay pending until the test takes them.
class IdleAdopter final : public pipeline::Adopter {
 public:
  bool reserve(const model::Action&, std::uint64_t) override { return false; }
  void release(model::ActionId, std::uint64_t) override {}
  void adopt(const model::FanoutPlan&, const model::Appended&, model::EventPtr) override {}
};

struct Ask {
  std::string method = "GET";
  std::string target;
  std::string body;
  std::string key;  ///< "" sends none
  model::HeaderList headers;
};

class ApiRig : public testing::Test {
 protected:
  ApiRig();
  ~ApiRig() override;

  /// As the server does: admit, then the body if it may come (413 otherwise), then handle.
  model::HttpResponse ask(Ask ask);
  /// With the admin key; the body is JSON.
  model::HttpResponse admin(std::string method, std::string target, std::string body = "");
  /// Parsed; fails the test when the status is another one.
  boost::json::value expect(int status, const model::HttpResponse& answer);

  /// Definitions, made through the API by the admin.
  void make_source(std::string_view slug, std::string_view more = "");
  boost::json::value make_action(std::string_view slug, std::string_view document);
  /// The text of a new key.
  std::string make_key(std::string_view scope, std::string_view sources_json = "null");
  /// Posts a webhook and gives the event's id.
  std::string post_event(std::string_view slug, std::string body = R"({"n":1})");
  /// The newest delivery of an event.
  model::Delivery delivery_of(std::string_view event_id);
  /// Leases the delivery's action and ends (or goes on with) all that it gets.
  void settle(const model::Delivery& delivery, model::Settlement::Kind kind,
              model::EndReason reason = model::EndReason::none, int status = 200);
  /// An event with a dead delivery; its id is the delivery's.
  std::string make_dead(std::string_view slug);
  model::ActionPtr action(std::string_view slug, std::string_view name);
  /// A fresh handler with other options, on the same store.
  void use_auth(AuthOptions auth);
  /// Everything logged so far. Ends the handler: nothing can be asked after it.
  const std::string& end_and_read_log();

  async::Loop loop_;
  doubles::ManualClock clock_;
  doubles::ManualTimers timers_{loop_, clock_};
  doubles::MemoryStore store_{loop_, clock_};
  SeededRandom random_{7};
  IdSource ids_{store_.clock(), random_};
  crypto::SecretBox box_{random_, crypto::MasterKey::make(random_)};
  crypto::KeyedDigest digest_{crypto::Secret("digest key")};
  pipeline::Quarantine quarantine_{ids_, digest_};
  telemetry::Metrics metrics_{{.version = "test"}};
  pipeline::Metrics pipeline_metrics_{metrics_};
  doubles::ScriptedSender sender_{timers_};
  doubles::ScriptedSandbox sandbox_{timers_};
  IdleAdopter adopter_;
  std::string log_lines_;
  std::unique_ptr<telemetry::Log> journal_;
  std::unique_ptr<pipeline::Ingest> ingest_;
  std::unique_ptr<PublicHandler> handler_;
  std::string admin_key_ = "the-admin-key";
  int jobs_started_ = 0;
};

/// The value of a header, "" when it is not there.
std::string header_of(const model::HttpResponse& answer, std::string_view name);
/// The address in a Link header with rel="next", "" without one.
std::string next_of(const model::HttpResponse& answer);
/// The last part of a problem's type.
std::string kind_of(const model::HttpResponse& answer);

}  // namespace grapnel::api
