// Definitions as anybody may write them: what is accepted comes back from the store the same, and
// what the API shows of it is accepted again.
#include <boost/json/parse.hpp>

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/definition_json.h"

using namespace grapnel;

namespace {

template <class Definition, class Patch, class FromStored>
void keeps(Definition definition, const Result<Patch>& patch, FromStored from_stored) {
  if (!patch || !model::apply(*patch, definition)) return;
  const std::string stored = model::to_stored(definition);
  const auto again = from_stored(stored);
  GRAPNEL_CHECK(again && model::to_stored(*again) == stored, stored);
  (void)model::to_json(definition);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)model::source_from_stored(text);
  (void)model::action_from_stored(text);
  boost::system::error_code wrong;
  const auto document = boost::json::parse(text, wrong);
  if (wrong) return 0;
  const auto source = model::SourceId::parse("src_00000000000000000000000001").value();
  const auto action = model::ActionId::parse("act_00000000000000000000000001").value();
  keeps(model::Source{.id = source}, model::parse_source_patch(document),
        model::source_from_stored);
  keeps(model::Action{.id = action, .source = source}, model::parse_action_patch(document),
        model::action_from_stored);
  return 0;
}
