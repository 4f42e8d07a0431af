// Targets, queries and cursors of strangers: what is read says the same when it is written again.
#include "surface/api/target.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "model/catalog.h"
#include "surface/api/ingest_route.h"

using namespace grapnel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = api::split_target(text);
  GRAPNEL_CHECK(target.path.empty() || target.path.front() == '/');
  GRAPNEL_CHECK(target.path.find('?') == std::string_view::npos);
  if (const auto slug = api::webhook_slug(target.path)) {
    GRAPNEL_CHECK(!slug->empty() && slug->find('/') == std::string_view::npos);
  }
  for (const std::string_view part : {text, target.path, target.query}) {
    if (const auto decoded = api::percent_decode(part)) {
      GRAPNEL_CHECK(decoded->size() <= part.size());
      GRAPNEL_CHECK(api::percent_decode(api::percent_encode(*decoded)) == *decoded);
    }
    const auto query = api::Query::parse(part);
    if (!query) continue;
    const auto cursor = query->find("cursor");
    const std::string value(cursor.value_or("none"));
    const auto again = api::Query::parse(query->with("cursor", value));
    if (again) GRAPNEL_CHECK(again->find("cursor") == value);
    if (const auto place = model::Cursor::parse(value)) {
      const auto written = place->str();
      GRAPNEL_CHECK(model::Cursor::parse(written).value().str() == written, written);
    }
  }
  return 0;
}
