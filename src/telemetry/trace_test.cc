#include "telemetry/trace.h"

#include <gtest/gtest.h>

namespace grapnel::telemetry {
namespace {

constexpr std::string_view kExample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(Trace, RefusesWhatTheStandardRefuses) {
  const std::string example(kExample);
  const auto with = [&](std::size_t at, std::string_view text) {
    return std::string(example).replace(at, text.size(), text);
  };
  for (const std::string& text : {
           std::string(), example.substr(0, 54),
           example + "-",                                // version 00 has no more
           example + "00", with(0, "ff"),                // section 3.2.2.1
           with(3, "00000000000000000000000000000000"),  // section 3.2.2.3
           with(36, "0000000000000000"),                 // section 3.2.2.4
           with(3, "0AF7"),                              // upper case
           with(0, "0x"), with(2, "_"), with(35, "_"), with(52, "_"), with(53, "g1"),
           with(0, "01") + "x",  // a later version goes on with a dash
       }) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(Trace, ReadsAndWritesTheExample) {
  const auto context = parse_traceparent(kExample);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->flags, 1);
  EXPECT_EQ(context->str(), kExample);
  EXPECT_EQ(context->trace_text(), "0af7651916cd43dd8448eb211c80319c");
}

TEST(Trace, LaterVersionsAreReadAndGoOutAsVersion00) {
  const auto later = "cc" + std::string(kExample.substr(2)) + "-what-the-future-brings";
  EXPECT_EQ(parse_traceparent(later).value().str(), kExample);
  const auto flags = std::string(kExample.substr(0, 53)) + "fe";
  EXPECT_EQ(parse_traceparent(flags).value().flags, 0);
}

TEST(Trace, ChildKeepsTheTraceAndChangesTheParent) {
  SeededRandom random(1);
  const TraceContext context = parse_traceparent(kExample).value();
  const TraceContext child = context.child(random);
  EXPECT_EQ(child.trace_id, context.trace_id);
  EXPECT_NE(child.parent_id, context.parent_id);
  EXPECT_EQ(child.flags, context.flags);
}

TEST(Trace, NewTracesAreValidAndDiffer) {
  SeededRandom random(1);
  const TraceContext a = make_trace(random);
  const TraceContext b = make_trace(random);
  EXPECT_EQ(parse_traceparent(a.str()).value(), a);
  EXPECT_EQ(a.flags, 0);
  EXPECT_NE(a.trace_id, b.trace_id);
}

}  // namespace
}  // namespace grapnel::telemetry
