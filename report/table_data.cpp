// The tables that programs read: JSON and CSV, with the same columns.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/table_writers.h"
#include "report/text_table.h"

namespace bitlab {

using nlohmann::ordered_json;

namespace {

ordered_json mean_or_null(const Summary& summary) {
  return summary.n > 0 ? ordered_json(summary.mean) : ordered_json(nullptr);
}

ordered_json whole_or_null(const Summary& summary) {
  return summary.n > 0 ? ordered_json(std::llround(summary.mean)) : ordered_json(nullptr);
}

ordered_json sd_or_null(const Summary& summary) {
  return summary.sd ? ordered_json(*summary.sd) : ordered_json(nullptr);
}

// scored: some arm classifies texts.
ordered_json row_json(const TableRow& row, bool with_bits, bool scored) {
  ordered_json json = {{"arm", row.arm},
                       {"seeds", row.seeds.size()},
                       {"params", row.params},
                       {"ternary_params", row.ternary_params},
                       {"val_loss_mean", mean_or_null(row.val_final)},
                       {"val_loss_sd", sd_or_null(row.val_final)},
                       {"val_loss_best", mean_or_null(row.val_best)}};
  if (with_bits) json["val_bits_per_byte_mean"] = mean_or_null(row.val_bits_per_byte);
  json.update({{"train_loss_mean", mean_or_null(row.train_final)},
               {"tokens_per_s", mean_or_null(row.tokens_per_s)},
               {"wall_seconds", mean_or_null(row.wall_seconds)},
               {"bytes_full", whole_or_null(row.bytes_full)},
               {"bytes_packed", whole_or_null(row.bytes_packed)},
               {"seed_list", row.seeds},
               {"seeds_planned", row.seeds_planned},
               {"states", row.states}});
  if (!scored) return json;
  json["accuracy_mean"] = mean_or_null(row.accuracy);
  json["accuracy_sd"] = sd_or_null(row.accuracy);
  json["f1_mean"] = mean_or_null(row.f1);
  return json;
}

std::string csv_field(const ordered_json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return escape_csv(value.get<std::string>());
  if (!value.is_array()) return value.dump();
  std::string list;
  for (const ordered_json& item : value) list += (list.empty() ? "" : " ") + item.dump();
  return list;
}

}  // namespace

std::string json_table(const std::vector<TableRow>& rows) {
  ordered_json list = ordered_json::array();
  const bool scored = have_scores(rows);
  for (const TableRow& row : rows) list.push_back(row_json(row, have_bits_per_byte(rows), scored));
  // Bytes that are no UTF-8 (they can come with a system's message) are replaced, not fatal.
  return list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string csv_table(const std::vector<TableRow>& rows) {
  std::string out;
  const bool scored = have_scores(rows);
  const bool with_bits = have_bits_per_byte(rows);
  const ordered_json head = row_json({}, with_bits, scored);
  for (const auto& [key, value] : head.items()) out += (out.empty() ? "" : ",") + key;
  out += "\n";
  for (const TableRow& row : rows) {
    const ordered_json fields = row_json(row, with_bits, scored);
    for (const auto& [key, value] : fields.items())
      out += (key == fields.begin().key() ? "" : ",") + csv_field(value);
    out += "\n";
  }
  return out;
}

}  // namespace bitlab
