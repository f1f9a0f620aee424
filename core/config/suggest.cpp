#include "core/config/suggest.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/config/settings.h"

namespace bitlab {

namespace {

// Names that other tools use -> ours.
const std::multimap<std::string, std::string>& aliases() {
  static const std::multimap<std::string, std::string> table = {
      {"n_embd", "d_model"},
      {"hidden_size", "d_model"},
      {"dim", "d_model"},
      {"n_heads", "n_head"},
      {"num_heads", "n_head"},
      {"num_attention_heads", "n_head"},
      {"n_layers", "n_layer"},
      {"num_layers", "n_layer"},
      {"depth", "n_layer"},
      {"num_hidden_layers", "n_layer"},
      {"intermediate_size", "d_ff"},
      {"ffn_dim", "d_ff"},
      {"block_size", "seq_len"},
      {"ctx", "seq_len"},
      {"context", "seq_len"},
      {"context_length", "seq_len"},
      {"learning_rate", "lr"},
      {"min_lr", "lr_end"},
      {"wd", "weight_decay"},
      {"bs", "batch_size"},
      {"max_iters", "steps"},
      {"max_steps", "steps"},
      {"iters", "steps"},
      {"warmup", "warmup_steps"},
      {"warmup_iters", "warmup_steps"},
      {"grad_clip", "clip"},
      {"clip_grad", "clip"},
      {"grad_accum", "accumulate"},
      {"gradient_accumulation_steps", "accumulate"},
      {"eval_interval", "every"},
      {"eval_every", "every"},
      {"eval_iters", "batches"},
      {"log_interval", "log_every"},
      {"optimizer", "name"},
      {"dataset", "sources"},
      {"source", "sources"},
      {"seed", "seeds"},
      {"tie_weights", "tie_embeddings"},
      {"rms_norm_eps", "norm_eps"},
      {"init", "init_std"},
      {"epsilon", "eps"},
  };
  return table;
}

// How many letters may differ for two words to be the same one misspelt.
std::size_t tolerance(const std::string& word) { return std::max<std::size_t>(1, word.size() / 3); }

}  // namespace

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t least = tolerance(word) + 1;
  for (const std::string& candidate : candidates) {
    const bool begins = word.size() >= 3 && candidate.starts_with(word);
    const std::size_t distance = begins ? 1 : edit_distance(word, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggest_path(const std::string& path, const std::set<std::string>& valid) {
  const std::string key = key_of(path), table = table_of(path);
  std::string best;
  std::tuple<std::size_t, std::size_t> least{};
  const auto consider = [&](const std::string& name, const std::string& candidate) {
    const std::size_t distance = edit_distance(key, name);
    if (distance > tolerance(key) || distance >= name.size()) return;
    const std::size_t elsewhere = table_of(candidate) != table;
    const std::tuple score{2 * distance + elsewhere, edit_distance(table, table_of(candidate))};
    if (best.empty() || score < least) {
      least = score;
      best = candidate;
    }
  };
  for (const std::string& candidate : valid) {
    consider(key_of(candidate), candidate);
    for (const auto& [alias, name] : aliases())
      if (name == key_of(candidate)) consider(alias, candidate);
  }
  return best;
}

}  // namespace bitlab
