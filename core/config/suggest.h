#pragma once
// Did you mean ...?
#include <set>
#include <string>
#include <vector>

namespace bitlab {

// Insertions, deletions, replacements and swaps of neighbours that turn a into b.
std::size_t edit_distance(const std::string& a, const std::string& b);

// The candidate nearest to `word`; empty if none is near: at most a third of its letters may
// differ, or it is the beginning of the candidate.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

// The valid dotted path that was most likely meant by the unknown `path`: the same key elsewhere,
// the name that other tools have for it (n_embd -> d_model, learning_rate -> lr ...), or a
// misspelling of either. Empty if none.
std::string suggest_path(const std::string& path, const std::set<std::string>& valid);

}  // namespace bitlab
