#include "drivers/http/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "drivers/http/client.h"
#include "drivers/http/errors.h"
#include "drivers/http/loop_thread.h"
#include "drivers/http/raw_socket.h"
#include "drivers/http/server.h"
#include "drivers/http/test_ca.h"

namespace grapnel::http {
namespace {

using model::AttemptStep;
using testing::HasSubstr;
using Outcome = std::expected<model::HttpAnswer, model::HttpFailure>;

class SaysHello final : public model::HttpHandler {
 public:
  std::variant<model::BodyAllowance, model::HttpResponse> admit(
      const model::HttpRequest&) override {
    return model::BodyAllowance{};
  }
  async::Task<model::HttpResponse> handle(model::HttpRequest request) override {
    co_return model::HttpResponse{.status = request.secure ? 200 : 500,
                                  .headers = {},
                                  .body = std::string(100'000, 'h') + request.body};
  }
  model::HttpResponse fault(model::HttpFault, const model::HttpRequest&) override {
    return {.status = 400, .headers = {}, .body = {}};
  }
};

class Tls : public testing::Test {
 protected:
  Tls() : directory_(std::filesystem::path(testing::TempDir()) / ("grapnel-tls-" + unique())) {
    std::filesystem::create_directories(directory_);
    files_ = {
        .certificate = directory_ / "tls.crt", .key = directory_ / "tls.key", .client_ca = {}};
    loop_.call([this] {
      resolver_.emplace(loop_.executor());
      client_.emplace(loop_.executor(), *resolver_, EgressGuard::allow_all());
    });
  }
  ~Tls() override {
    loop_.run(client_->stop());
    if (server_) loop_.run(server_->stop(async::Deadline(std::chrono::steady_clock::now())));
    loop_.call([this] {
      server_.reset();
      client_.reset();
      resolver_.reset();
    });
    std::filesystem::remove_all(directory_);
  }

  static std::string unique() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    return std::string(info->name()) + "-" + std::to_string(getpid());
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
  }
  void install(const TestCertificate& certificate) {
    write(files_.certificate, certificate.certificate);
    write(files_.key, certificate.key);
  }
  void start(const TestCertificate& certificate) {
    install(certificate);
    const auto started = loop_.call([this] {
      server_.emplace(
          loop_.executor(),
          ServerOptions{
              .address = "127.0.0.1",
              .tls = files_,
              .tls_check_interval = std::chrono::milliseconds(5),
              .on_tls_reload = [this](const Result<>& loaded) { reloads_.push_back(loaded); }},
          handler_);
      return server_->start();
    });
    ASSERT_TRUE(started.has_value()) << started.error().message();
  }
  Outcome ask(const std::string& host = "localhost", const TestCa* ca = nullptr) {
    model::HttpCall call{.url = "https://" + host + ":" + std::to_string(server_->port()) + "/",
                         .body = "x"};
    call.response_bytes_max = 1'000'000;
    call.response_bytes_kept = 1'000'000;
    call.ca_bundle = std::make_shared<const std::string>(ca == nullptr ? ca_.pem() : ca->pem());
    return loop_.run(client_->send(std::move(call)));
  }
  /// The outcome of the reload after `before` others; waits for it.
  Result<> reload(std::size_t before) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < give_up) {
      const auto seen = loop_.call([this] { return reloads_; });
      if (seen.size() > before) return seen[before];
      std::this_thread::yield();
    }
    return fail(errc::bad_tls_files, "the files were not read again");
  }
  static void expect_refused(const Outcome& outcome, const char* message) {
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().step, AttemptStep::tls) << outcome.error().message;
    EXPECT_THAT(outcome.error().message, HasSubstr(message));
    EXPECT_GE(outcome.error().timings.tls_us, 0);
  }

  std::filesystem::path directory_;
  TlsFiles files_;
  TestCa ca_;
  LoopThread loop_;
  SaysHello handler_;
  std::optional<Resolver> resolver_;
  std::optional<Client> client_;
  std::optional<Server> server_;
  std::vector<Result<>> reloads_;  // written on the loop
};

TEST_F(Tls, UnknownCaIsRefused) {
  start(ca_.issue("DNS:localhost"));
  const TestCa other;
  expect_refused(ask("localhost", &other), "signed by an unknown CA");
}

TEST_F(Tls, SystemRootsDoNotKnowOurCa) {
  start(ca_.issue("DNS:localhost"));
  model::HttpCall call{.url = "https://localhost:" + std::to_string(server_->port()) + "/"};
  expect_refused(loop_.run(client_->send(call)), "signed by an unknown CA");
}

TEST_F(Tls, WrongNameIsRefused) {
  start(ca_.issue("DNS:other.example,DNS:*.localhost"));
  expect_refused(ask(), "name mismatch");
  expect_refused(ask("127.0.0.1"), "name mismatch");
}

TEST_F(Tls, ExpiredCertificateIsRefused) {
  start(ca_.issue("DNS:localhost", -10, -1));
  expect_refused(ask(), "has expired");
}

TEST_F(Tls, CertificateOfTheFutureIsRefused) {
  start(ca_.issue("DNS:localhost", 1, 10));
  expect_refused(ask(), "not valid yet");
}

TEST_F(Tls, PlainPeerIsATlsFailure) {
  start(ca_.issue("DNS:localhost"));
  RawServer plain({[](RawSocket& peer) {
    peer.read_bytes(10);
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  }});
  model::HttpCall call{.url = "https://127.0.0.1:" + std::to_string(plain.port()) + "/"};
  expect_refused(loop_.run(client_->send(call)), "handshake");
}

TEST_F(Tls, SilentPeerTimesOutInTheHandshake) {
  start(ca_.issue("DNS:localhost"));
  RawServer silent({[](RawSocket& peer) { peer.read_to_end(); }});
  model::HttpCall call{.url = "https://127.0.0.1:" + std::to_string(silent.port()) + "/"};
  call.timeout = Millis(100);
  const Outcome outcome = loop_.run(client_->send(call));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().step, AttemptStep::timeout);
  EXPECT_THAT(outcome.error().message, HasSubstr("TLS"));
}

TEST_F(Tls, VersionsBefore12AreRefused) {
  start(ca_.issue("DNS:localhost"));
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  SSL* tls = SSL_new(context);
  RawSocket socket = RawSocket::connect(server_->port());
  SSL_set_fd(tls, socket.descriptor());
  EXPECT_NE(SSL_connect(tls), 1);
  SSL_free(tls);
  SSL_CTX_free(context);
}

TEST_F(Tls, BundleWithoutCertificateSaysSo) {
  start(ca_.issue("DNS:localhost"));
  model::HttpCall call{.url = "https://localhost:" + std::to_string(server_->port()) + "/"};
  call.ca_bundle = std::make_shared<const std::string>("not a certificate");
  const Outcome outcome = loop_.run(client_->send(call));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_THAT(outcome.error().message, HasSubstr("CA bundle"));
}

TEST_F(Tls, TrustedNameAndAddressAreServedOnOneKeptConnection) {
  start(ca_.issue("DNS:localhost,IP:127.0.0.1"));
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const Outcome outcome = ask(host);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    EXPECT_EQ(outcome->status, 200);
    EXPECT_EQ(outcome->body.size(), 100'001u);
    EXPECT_GE(outcome->timings.tls_us, 0);
  }
  const auto bundle = std::make_shared<const std::string>(ca_.pem());
  model::HttpCall call{.url = "https://localhost:" + std::to_string(server_->port()) + "/",
                       .ca_bundle = bundle,
                       .response_bytes_max = 1'000'000};
  ASSERT_TRUE(loop_.run(client_->send(call)).has_value());
  const Outcome kept = loop_.run(client_->send(call));
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->timings.tls_us, -1);
}

TEST_F(Tls, ReplacedFilesAreServedWithoutARestart) {
  start(ca_.issue("DNS:other.example"));
  expect_refused(ask(), "name mismatch");
  install(ca_.issue("DNS:localhost"));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  Outcome outcome = ask();
  while (!outcome && std::chrono::steady_clock::now() < give_up) outcome = ask();
  EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
}

TEST_F(Tls, BrokenFilesLeaveTheFormerOnesInUse) {
  start(ca_.issue("DNS:localhost"));
  std::filesystem::remove(files_.key);
  const auto reloaded = reload(0);
  ASSERT_FALSE(reloaded.has_value());
  EXPECT_EQ(reloaded.error().code, errc::bad_tls_files);
  EXPECT_THAT(reloaded.error().message(), HasSubstr(files_.key));
  EXPECT_TRUE(ask().has_value());
}

TEST_F(Tls, EachReloadIsToldUntilTheFilesAreWholeAgain) {
  start(ca_.issue("DNS:other.example"));
  EXPECT_TRUE(loop_.call([this] { return reloads_.empty(); })) << "the start is no reload";
  std::filesystem::remove(files_.key);
  EXPECT_FALSE(reload(0).has_value());
  std::filesystem::remove(files_.certificate);
  EXPECT_FALSE(reload(1).has_value());
  const auto renewed = ca_.issue("DNS:localhost");
  write(directory_ / "new.crt", renewed.certificate);
  write(directory_ / "new.key", renewed.key);
  std::filesystem::rename(directory_ / "new.key", files_.key);
  EXPECT_FALSE(reload(2).has_value()) << "a key alone is half a pair";
  std::filesystem::rename(directory_ / "new.crt", files_.certificate);
  EXPECT_TRUE(reload(3).has_value());
  EXPECT_TRUE(ask().has_value());
}

TEST_F(Tls, KeyOfAnotherCertificateIsRefused) {
  write(files_.certificate, ca_.issue("DNS:a").certificate);
  write(files_.key, ca_.issue("DNS:a").key);
  EXPECT_FALSE(load_server_tls(files_).has_value());
  files_.certificate = directory_ / "absent";
  const auto loaded = load_server_tls(files_);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().message(), HasSubstr("absent"));
}

TEST_F(Tls, ClientCaLetsNobodyInWithoutACertificate) {
  files_.client_ca = directory_ / "ca.crt";
  write(files_.client_ca, ca_.pem());
  start(ca_.issue("DNS:localhost"));
  EXPECT_FALSE(ask().has_value());
}

}  // namespace
}  // namespace grapnel::http
