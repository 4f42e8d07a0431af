#include "pipeline/outbound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace grapnel::pipeline {
namespace {

using model::ForwardHeaders;
using model::HeaderList;
using testing::ElementsAre;
using testing::IsEmpty;

class Outbound : public testing::Test {
 protected:
  HeaderList sent(HeaderList received, HeaderList signed_headers = {}) {
    event.headers = std::move(received);
    return outbound_headers(source, action, event, delivery, 3, std::move(signed_headers), "");
  }
  static std::vector<std::string> values(const HeaderList& headers, std::string_view name) {
    std::vector<std::string> out;
    for (const auto& header : headers) {
      if (model::same_name(header.name, name)) out.push_back(header.value);
    }
    return out;
  }

  model::Source source{.secret_headers = {"X-Token"}};
  model::Action action;
  model::Event event;
  model::Delivery delivery;
};

TEST_F(Outbound, SecretsHopByHopAndOursOfTheSenderNeverGoOut) {
  for (const char* name : {"Authorization",
                           "cookie",
                           "X-Token",
                           "X-Api-Key",
                           "Connection",
                           "Keep-Alive",
                           "TE",
                           "Transfer-Encoding",
                           "Trailer",
                           "Upgrade",
                           "Proxy-Authorization",
                           "Host",
                           "Content-Length",
                           "Expect",
                           "X-Forwarded-For",
                           "x-forwarded-host",
                           "Via",
                           "webhook-signature",
                           "Webhook-Timestamp",
                           "X-Grapnel-Attempt",
                           "X-Webhook-Signature-256"}) {
    EXPECT_FALSE(is_forwardable(source, name)) << name;
    EXPECT_THAT(values(sent({{name, "theirs"}}), name), testing::Not(testing::Contains("theirs")))
        << name;
  }
}

TEST_F(Outbound, WhatConnectionNamesIsForOneHop) {
  const auto out = sent({{"Connection", "close, X-Hop ,\tX-Tab"},
                         {"x-hop", "1"},
                         {"X-Tab", "2"},
                         {"X-End", "3"},
                         {"connection", "X-Second"},
                         {"X-Second", "4"}});
  EXPECT_THAT(values(out, "X-Hop"), IsEmpty());
  EXPECT_THAT(values(out, "X-Tab"), IsEmpty());
  EXPECT_THAT(values(out, "X-Second"), IsEmpty());
  EXPECT_THAT(values(out, "X-End"), ElementsAre("3"));
}

TEST_F(Outbound, SendersHeadersGoOnWithNamesOrderAndDuplicates) {
  const auto out = sent({{"X-a", "1"}, {"X-B", "2"}, {"x-A", "3"}});
  EXPECT_THAT(values(out, "x-a"), ElementsAre("1", "3"));
  const auto first = std::ranges::find(out, "X-a", &model::Header::name);
  ASSERT_NE(first, out.end());
  EXPECT_EQ((first + 1)->name, "X-B");
  EXPECT_EQ((first + 2)->name, "x-A");
}

TEST_F(Outbound, OursWinOverTheActionsAndTheActionsOverTheSenders) {
  action.headers = {{"X-Delivery-ID", "spoof"}, {"X-Env", "prod"}, {"Content-Type", "text/plain"}};
  const auto out = sent({{"x-env", "dev"}, {"Content-Type", "application/json"}},
                        {{"webhook-id", "evt_1"}, {"webhook-signature", "v1,x"}});
  EXPECT_THAT(values(out, "X-Delivery-ID"), ElementsAre(delivery.event.str()));
  EXPECT_THAT(values(out, "X-Env"), ElementsAre("prod"));
  EXPECT_THAT(values(out, "Content-Type"), ElementsAre("text/plain"));
  EXPECT_THAT(values(out, "webhook-id"), ElementsAre("evt_1"));
  EXPECT_THAT(values(out, "webhook-signature"), ElementsAre("v1,x"));
}

TEST_F(Outbound, ForwardingIsAllNoneOrAList) {
  const HeaderList received{{"X-A", "1"}, {"X-B", "2"}, {"Authorization", "s"}};
  action.forward_headers.kind = ForwardHeaders::Kind::none;
  EXPECT_THAT(values(sent(received), "X-A"), IsEmpty());
  action.forward_headers = {.kind = ForwardHeaders::Kind::list, .names = {"x-b", "Authorization"}};
  EXPECT_THAT(values(sent(received), "X-A"), IsEmpty());
  EXPECT_THAT(values(sent(received), "X-B"), ElementsAre("2"));
  EXPECT_THAT(values(sent(received), "Authorization"), IsEmpty()) << "not even when listed";
}

TEST_F(Outbound, EveryDeliverySaysWhatItIs) {
  const auto out = sent({});
  EXPECT_THAT(values(out, "webhook-id"), ElementsAre(delivery.event.str()));
  EXPECT_THAT(values(out, "X-Delivery-ID"), ElementsAre(delivery.event.str()));
  EXPECT_THAT(values(out, "X-Grapnel-Delivery"), ElementsAre(delivery.id.str()));
  EXPECT_THAT(values(out, "X-Grapnel-Attempt"), ElementsAre("3"));
  EXPECT_THAT(values(out, "Content-Type"), ElementsAre("application/octet-stream"));
  EXPECT_THAT(values(out, "traceparent"), IsEmpty());
}

TEST_F(Outbound, RecordedHeadersHideCredentialsAndWhatTheActionCallsSecret) {
  action.secret_headers = {"X-Team"};
  const auto out = recorded_headers(
      action,
      {{"authorization", "Basic x"}, {"X-A", "1"}, {"x-team", "t"}, {"X-Vault-Token", "v"}});
  EXPECT_EQ(out, (HeaderList{{"authorization", "[cut]"},
                             {"X-A", "1"},
                             {"x-team", "[cut]"},
                             {"X-Vault-Token", "[cut]"}}));
}

}  // namespace
}  // namespace grapnel::pipeline
