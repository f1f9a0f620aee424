#include "report/value_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace bitlab {

using nlohmann::ordered_json;

namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

ordered_json to_json(const RunValue& value) {
  if (const std::string* text = std::get_if<std::string>(&value)) return *text;
  const double* x = std::get_if<double>(&value);
  if (x == nullptr || !std::isfinite(*x)) return nullptr;
  if (*x == std::floor(*x) && std::abs(*x) < kExactIntegers) return static_cast<std::int64_t>(*x);
  return *x;
}

std::string json_text(const ValueTable& table) {
  ordered_json list = ordered_json::array();
  for (const auto& row : table.rows) {
    ordered_json object = ordered_json::object();
    for (std::size_t c = 0; c < row.size(); ++c) object[table.columns[c].key] = to_json(row[c]);
    list.push_back(object);
  }
  // Bytes that are no UTF-8 (they can come with a system's message) are replaced, not fatal.
  return list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string csv_text(const ValueTable& table) {
  std::string out;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += (c > 0 ? "," : "") + escape_csv(table.columns[c].key);
  out += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c)
      out += (c > 0 ? "," : "") + escape_csv(to_text(row[c]));
    out += "\n";
  }
  return out;
}

// Columns of words stand to the left.
bool holds_text(const ValueTable& table, std::size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    return std::holds_alternative<std::string>(row[column]);
  });
}

}  // namespace

TextTable to_text_table(const ValueTable& table) {
  TextTable out;
  out.rows.resize(table.rows.size());
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (std::none_of(table.rows.begin(), table.rows.end(),
                     [&](const auto& row) { return has_value(row[c]); }))
      continue;
    out.heads.push_back({table.columns[c].head, holds_text(table, c)});
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      const RunValue& value = table.rows[r][c];
      out.rows[r].push_back(has_value(value) ? to_display(table.columns[c].key, value) : "–");
    }
  }
  return out;
}

std::string format_values(const ValueTable& table, TableFormat format) {
  switch (format) {
    case TableFormat::Markdown:
      return markdown_text(to_text_table(table));
    case TableFormat::Csv:
      return csv_text(table);
    case TableFormat::Tex:
      return tex_text(to_text_table(table));
    case TableFormat::Json:
      return json_text(table);
  }
  throw Error("table format", "must be a known one");
}

}  // namespace bitlab
