#include "surface/cli/sheet.h"

#include <fmt/format.h>

#include <algorithm>

namespace grapnel::cli {

struct Sheet::Part {
  struct Line {
    std::string label;  ///< "": a text line, or a section
    std::string text;
    std::shared_ptr<Part> section;
  };
  std::vector<Line> lines;

  void print(const Output& output, int depth) const {
    const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
    std::size_t width = 0;
    for (const auto& line : lines) width = std::max(width, line.label.size());
    for (const auto& line : lines) {
      if (line.section) {
        output.line(fmt::format("{}{}", indent, line.text));
        line.section->print(output, depth + 1);
      } else if (line.label.empty()) {
        output.line(fmt::format("{}{}", indent, line.text));
      } else {
        output.line(fmt::format("{}{:<{}}  {}", indent, line.label + ":", width + 1, line.text));
      }
    }
  }
};

Sheet::Sheet(const Output& output) : Sheet(output, std::make_shared<Part>()) {}

Sheet::Sheet(const Output& output, std::shared_ptr<Part> part)
    : output_(output), part_(std::move(part)) {}

void Sheet::field(std::string_view label, std::string_view text) {
  if (!text.empty()) part_->lines.push_back({std::string(label), printable(text), nullptr});
}

void Sheet::painted(std::string_view label, std::string_view word, Tone tone) {
  if (word.empty()) return;
  part_->lines.push_back({std::string(label), output_.painted(printable(word), tone), nullptr});
}

void Sheet::text(std::string_view line) {
  part_->lines.push_back({"", std::string(line), nullptr});
}

void Sheet::block(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    this->text(printable(line, LineEnds::keep));
  }
}

Sheet Sheet::section(std::string_view title) {
  auto part = std::make_shared<Part>();
  part_->lines.push_back({"", fmt::format("{}:", title), part});
  return Sheet(output_, std::move(part));
}

void Sheet::print() const { part_->print(output_, 0); }

}  // namespace grapnel::cli
