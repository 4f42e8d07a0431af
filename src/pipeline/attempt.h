// One attempt of a delivery: build the request, sign it, send it, say what happened; or run the
// script.
#pragma once

#include "base/id.h"
#include "crypto/secret_box.h"
#include "model/event_log.h"
#include "model/http.h"
#include "model/registry.h"
#include "model/sandbox.h"
#include "pipeline/keyring.h"
#include "pipeline/verdict.h"

namespace grapnel::pipeline {

class Attempter {
 public:
  struct Parts {
    const StoreClock& clock;
    Random& random;
    IdSource& ids;
    Keyring& keyring;
    model::HttpSender& sender;
    model::Sandbox& sandbox;
  };
  explicit Attempter(Parts parts) : parts_(parts) {}

  /// `entry` and `action` are the newest definitions. A canceled attempt comes back as handed_back.
  async::Task<AttemptReport> attempt(model::SourcePtr entry, model::ActionPtr action,
                                     model::EventPtr event, model::Delivery delivery);

  /// The report of an attempt that could not be made because what was stored cannot be sent.
  AttemptReport unsendable(const model::Delivery& delivery, std::string_view why);

 private:
  async::Task<> send(model::SourcePtr entry, model::ActionPtr action, model::EventPtr event,
                     model::Delivery delivery, AttemptReport& report);
  model::Attempt begin(const model::Delivery& delivery);
  Result<model::HttpCall> prepare(const model::SourceEntry& entry, const model::ActionPtr& action,
                                  const model::Event& event, const model::Delivery& delivery,
                                  model::Attempt& attempt);

  Parts parts_;
};

}  // namespace grapnel::pipeline
