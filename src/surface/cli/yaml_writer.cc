#include "surface/cli/yaml_writer.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <yaml.h>

#include <new>
#include <string>

#include "base/utf8.h"
#include "model/json_text.h"
#include "model/texts.h"
#include "surface/cli/yaml_scalar.h"

namespace grapnel::cli {
namespace {

class Writer {
 public:
  explicit Writer(std::string& out) {
    if (yaml_emitter_initialize(&emitter_) != 1) throw std::bad_alloc();
    yaml_emitter_set_output(&emitter_, &Writer::append, &out);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_width(&emitter_, -1);
  }
  ~Writer() { yaml_emitter_delete(&emitter_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void document(const boost::json::value& value) {
    yaml_event_t event;
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(event);
    yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
    emit(event);
    write(value);
    yaml_document_end_event_initialize(&event, 1);
    emit(event);
    yaml_stream_end_event_initialize(&event);
    emit(event);
  }

 private:
  static int append(void* out, unsigned char* data, std::size_t size) {
    static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(data), size);
    return 1;
  }

  // Texts are made valid UTF-8 before they come here, so that running out of memory is all that can
  // go wrong.
  void emit(yaml_event_t& event) {
    if (yaml_emitter_emit(&emitter_, &event) != 1) throw std::bad_alloc();
  }

  void write_scalar(std::string_view text, yaml_scalar_style_t style) {
    yaml_event_t event;
    if (yaml_scalar_event_initialize(&event, nullptr, nullptr,
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()), 1, 1, style) != 1) {
      throw std::bad_alloc();
    }
    emit(event);
  }

  void write_text(std::string_view given) {
    const std::string text = valid_utf8(given);
    const bool lines = text.contains('\n');
    const bool quotes = needs_quotes(text);
    write_scalar(text, lines    ? YAML_LITERAL_SCALAR_STYLE
                       : quotes ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                : YAML_ANY_SCALAR_STYLE);
  }

  void write(const boost::json::value& value) {
    yaml_event_t event;
    if (const auto* fields = value.if_object()) {
      yaml_mapping_start_event_initialize(
          &event, nullptr, nullptr, 1,
          fields->empty() ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
      emit(event);
      for (const auto& field : *fields) {
        write_text(field.key());
        write(field.value());
      }
      yaml_mapping_end_event_initialize(&event);
      emit(event);
    } else if (const auto* items = value.if_array()) {
      yaml_sequence_start_event_initialize(
          &event, nullptr, nullptr, 1,
          items->empty() ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
      emit(event);
      for (const auto& item : *items) write(item);
      yaml_sequence_end_event_initialize(&event);
      emit(event);
    } else if (const auto* text = value.if_string()) {
      write_text(*text);
    } else {
      write_scalar(model::json_text(value), YAML_PLAIN_SCALAR_STYLE);
    }
  }

  yaml_emitter_t emitter_{};
};

}  // namespace

std::string to_yaml(const boost::json::value& value) {
  std::string out;
  Writer(out).document(value);
  return out;
}

}  // namespace grapnel::cli
