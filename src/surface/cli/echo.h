// `grapnel echo`: a receiver that verifies what arrives and prints one readable line each.
//
//   12:00:00.123  evt_06…  pull_request.opened  attempt 2  signature ok (v1)  1.2 KiB  POST /hook
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "model/http.h"
#include "signature/key.h"
#include "surface/cli/command_line.h"
#include "surface/cli/environment.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

/// What an echoed delivery was signed with, as its line says it.
struct SignatureVerdict {
  enum class Kind : std::uint8_t {
    unchecked,  ///< signed, but no secret was given
    none,       ///< not signed
    ok,
    bad,
  };
  Kind kind = Kind::none;
  std::string detail;  ///< the scheme, or what is wrong
};

/// Standard Webhooks first, then X-Webhook-Signature-256; any of the secrets may match.
class EchoVerifier {
 public:
  /// Each is a key's text, or @FILE that holds one. Errors: malformed, file_failed.
  static Result<EchoVerifier> make(const std::vector<std::string>& secrets);

  SignatureVerdict check(const model::HeaderList& headers, std::string_view body, Time now) const;

 private:
  std::vector<crypto::Secret> texts_;
  std::vector<signature::VerifyingKey> keys_;
};

class EchoHandler final : public model::HttpHandler {
 public:
  /// All outlive the handler.
  EchoHandler(const Clock& clock, const Output& output, EchoVerifier verifier,
              const EchoOptions& options)
      : clock_(clock), output_(output), verifier_(std::move(verifier)), options_(options) {}

  std::variant<model::BodyAllowance, model::HttpResponse> admit(
      const model::HttpRequest& head) override;
  async::Task<model::HttpResponse> handle(model::HttpRequest request) override;
  model::HttpResponse fault(model::HttpFault fault, const model::HttpRequest& head) override;

 private:
  const Clock& clock_;
  const Output& output_;
  EchoVerifier verifier_;
  const EchoOptions& options_;
};

/// Listens until the person asks to stop.
async::Task<Result<>> run_echo(const Environment& environment, const Output& output,
                               EchoOptions options);

}  // namespace grapnel::cli
