// Results of transforms: whatever comes of a script's process, reading it ends in a result within
// its bounds or in one line.
#include "pipeline/script_result.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/headers.h"
#include "pipeline/json_body.h"

using namespace grapnel;

namespace {

model::SourceEntry make_entry() {
  model::SourceEntry entry;
  entry.source.slug = "fuzz";
  auto action = std::make_shared<model::Action>();
  action->id.bytes[0] = 1;
  action->name = "a";
  entry.actions.push_back(action);
  return entry;
}

void check(const pipeline::MadeEvent& made, bool json_event) {
  for (const auto& header : made.set_headers) {
    GRAPNEL_CHECK(model::is_header_name(header.name) && model::is_header_value(header.value));
    GRAPNEL_CHECK(!model::is_hop_by_hop(header.name));
  }
  GRAPNEL_CHECK(made.set_headers.size() <= model::kHeadersMax + 1);  // and a Content-Type
  GRAPNEL_CHECK(!made.type || !made.type->empty());
  if (made.body && json_event) GRAPNEL_CHECK(pipeline::is_json(*made.body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const model::SourceEntry kEntry = make_entry();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool json_event : {true, false}) {
    model::Event event;
    event.body = json_event ? "{}" : "a=1";
    event.headers = {{"X-Sent", "1"}};
    const auto made = pipeline::read_made(text, event, kEntry);
    if (!made) {
      GRAPNEL_CHECK(!made.error().context.empty());
      continue;
    }
    GRAPNEL_CHECK(made->events.size() <= model::kSplitEventsMax);
    GRAPNEL_CHECK(made->kind != pipeline::Made::Kind::event || made->events.size() == 1);
    for (const auto& one : made->events) check(one, json_event);
  }
  return 0;
}
