// WORKER. What a script writes to its console, kept within kConsoleBytesMax.
#pragma once

#include <jsapi.h>

#include <string>
#include <string_view>

namespace grapnel::js {

class Console {
 public:
  void clear();
  /// A line of a call of console.log. False: the engine failed (its time is over, say).
  bool write(JSContext* context, const JS::CallArgs& arguments);
  const std::string& text() const { return text_; }

 private:
  bool append_value(JSContext* context, JS::HandleValue value);
  bool append_object(JSContext* context, JS::HandleObject object);
  void append(std::string_view part);

  std::string text_;
  bool full_ = false;
};

/// Gives the realm's global object its `console`; the context's CallState holds the text.
bool define_console(JSContext* context, JS::HandleObject global);

}  // namespace grapnel::js
