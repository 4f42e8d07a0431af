#include "drivers/http/answer_writer.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace grapnel::http {
namespace {

constexpr int kStatusLeast = 100;
constexpr int kStatusMost = 599;

/// Fields that the server alone writes.
bool is_ours(std::string_view name) {
  switch (name.size()) {
    case 4: return model::same_name(name, "Date");
    case 10: return model::same_name(name, "Connection");
    case 14: return model::same_name(name, "Content-Length");
    case 17: return model::same_name(name, "Transfer-Encoding");
    default: return false;
  }
}

void write_number(std::uint64_t value, std::string& out) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

}  // namespace

std::string_view DateText::at(Monotonic now) {
  if (now < stale_at_) return text_;
  const Time wall = clock_.wall();
  const auto day = std::chrono::floor<std::chrono::days>(wall);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(wall - day));
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  text_ =
      fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                  kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                  kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const auto into_second = wall - std::chrono::floor<std::chrono::seconds>(wall);
  stale_at_ = now + (std::chrono::seconds(1) - into_second);
  return text_;
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

void write_answer_head(const model::HttpResponse& answer, const AnswerFrame& frame,
                       std::string_view date, std::string& out) {
  const int status =
      answer.status >= kStatusLeast && answer.status <= kStatusMost ? answer.status : 500;
  out += "HTTP/1.1 ";
  write_number(static_cast<std::uint64_t>(status), out);
  out += ' ';
  out += model::status_name(status);
  for (const auto& [name, value] : answer.headers) {
    if (is_ours(name) || !model::is_header_name(name) || !model::is_header_value(value)) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (has_body(status)) {
    out += "\r\nContent-Length: ";
    write_number(answer.body.size(), out);
  }
  out += "\r\nDate: ";
  out += date;
  switch (frame.connection) {
    case AnswerFrame::Connection::implied: break;
    case AnswerFrame::Connection::close: out += "\r\nConnection: close"; break;
    case AnswerFrame::Connection::keep_alive: out += "\r\nConnection: keep-alive"; break;
  }
  out += "\r\n\r\n";
}

}  // namespace grapnel::http
