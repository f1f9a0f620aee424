#include "core/config/problems.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace bitlab {

namespace {

std::string place(const Origin& o) {
  return o.file.empty() ? "command line"
                        : o.file + ":" + std::to_string(o.line) + ":" + std::to_string(o.column);
}

// The key that the place points at: the run of key characters there.
std::size_t key_length(const std::string& line, std::size_t at) {
  std::size_t end = at;
  while (end < line.size() && (std::isalnum(static_cast<unsigned char>(line[end])) || line[end] == '_' ||
                               line[end] == '-' || line[end] == '.'))
    ++end;
  return std::max<std::size_t>(1, end - at);
}

std::string format(const Problem& p) {
  std::string text = place(p.origin) + ": " + p.message + "\n";
  if (!p.origin.source_line.empty()) {
    const std::string number = p.origin.file.empty() ? ">" : std::to_string(p.origin.line);
    const std::string margin(number.size() < 5 ? 5 - number.size() : 0, ' ');
    text += margin + number + " | " + p.origin.source_line + "\n";
    const std::size_t at = p.origin.column > 0 ? p.origin.column - 1 : 0;
    text += std::string(margin.size() + number.size(), ' ') + " | " + std::string(at, ' ') +
            std::string(key_length(p.origin.source_line, at), '^') + "\n";
  }
  if (!p.hint.empty()) text += "    " + p.hint + "\n";
  return text;
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

// Other tools' names for the same thing.
std::string usual_name(const std::string& word) {
  static const std::map<std::string, std::string> names = {
      {"n_embd", "d_model"},        {"hidden_size", "d_model"},   {"dim", "d_model"},
      {"n_heads", "n_head"},        {"num_heads", "n_head"},      {"n_layers", "n_layer"},
      {"num_layers", "n_layer"},    {"depth", "n_layer"},         {"block_size", "seq_len"},
      {"ctx", "seq_len"},           {"context", "seq_len"},       {"context_length", "seq_len"},
      {"learning_rate", "lr"},      {"wd", "weight_decay"},       {"bs", "batch_size"},
      {"max_iters", "steps"},       {"max_steps", "steps"},       {"eval_interval", "every"},
      {"grad_clip", "clip"},        {"gradient_accumulation_steps", "accumulate"},
      {"intermediate_size", "d_ff"}, {"optimizer", "optim"},      {"warmup", "warmup_steps"}};
  const auto found = names.find(word);
  return found == names.end() ? "" : found->second;
}

}  // namespace

std::string format_problems(std::vector<Problem> problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.origin.file, a.origin.line, a.origin.column) <
           std::tie(b.origin.file, b.origin.line, b.origin.column);
  });
  std::string text;
  for (const Problem& problem : problems) text += format(problem);
  if (!text.empty()) text.pop_back();
  return text;
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string other_name = usual_name(last_part(word));
  const std::string table = word.substr(0, word.size() - last_part(word).size());
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(word, candidate);
    if (last_part(candidate) == last_part(word)) distance = std::min<std::size_t>(distance, 1);  // other table
    if (!other_name.empty() && last_part(candidate) == other_name)
      distance = candidate == table + other_name ? 0 : 1;
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace bitlab
