#include "core/data/grammar.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace bitlab {

// A position in the grammar: always at a choice.
class Grammar::Walk {
 public:
  explicit Walk(const Grammar& grammar) : grammar_(grammar) { go_to(kReturn); }

  const Place& choice() const { return grammar_.places_[node_]; }

  void go_to(Node node) {
    for (;;) {
      if (node == kReturn) {
        node = then_.empty() ? grammar_.start_ : then_.back();
        if (!then_.empty()) then_.pop_back();
      } else if (grammar_.places_[node].is_call) {
        then_.push_back(grammar_.places_[node].then);
        node = grammar_.places_[node].routine;
      } else {
        break;
      }
    }
    node_ = node;
  }

 private:
  const Grammar& grammar_;
  Node node_ = kReturn;
  std::vector<Node> then_;
};

Grammar::Node Grammar::add_choice() {
  places_.emplace_back();
  return places_.size() - 1;
}

Grammar::Node Grammar::add_call(Node routine, Node then) {
  const Node node = add_choice();
  places_[node].is_call = true;
  places_[node].routine = routine;
  places_[node].then = then;
  return node;
}

void Grammar::add(Node choice, const std::string& text, double weight, Node next) {
  places_.at(choice).alternatives.push_back({text, weight, next});
}

void Grammar::finish(Node start) {
  start_ = start;
  for (Place& place : places_) {
    if (place.is_call) continue;
    auto& all = place.alternatives;
    if (all.empty())
      throw Error("grammar", "each choice must have an alternative, but one has none");
    std::sort(all.begin(), all.end(),
              [](const Alternative& a, const Alternative& b) { return a.text < b.text; });
    double total = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      total += all[i].weight;
      // Sorted, a string stands right before the strings that it begins.
      if (all[i].text.empty() || (i > 0 && all[i].text.starts_with(all[i - 1].text)))
        throw Error("grammar", "no alternative must begin another, but '" +
                                   (i > 0 ? all[i - 1].text : std::string()) + "' begins '" +
                                   all[i].text + "'");
    }
    double before = 0;
    for (const Alternative& a : all) {
      place.cumulative.push_back(before / total);
      before += a.weight;
    }
    place.cumulative.push_back(1.0);
  }
}

std::string Grammar::generate(const Rng& rng, std::size_t bytes) const {
  std::string text;
  text.reserve(bytes + 100);
  Walk walk(*this);
  for (std::uint64_t draw = 0; text.size() < bytes; ++draw) {
    const Place& place = walk.choice();
    const auto above =
        std::upper_bound(place.cumulative.begin(), place.cumulative.end(), rng.uniform(0, draw));
    const Alternative& a =
        place.alternatives[static_cast<std::size_t>(above - place.cumulative.begin()) - 1];
    text += a.text;
    walk.go_to(a.next);
  }
  text.resize(bytes);
  return text;
}

std::vector<double> Grammar::losses(std::string_view text) const {
  std::vector<double> losses;
  losses.reserve(text.size());
  Walk walk(*this);
  while (losses.size() < text.size()) {
    const Place& place = walk.choice();
    const auto& all = place.alternatives;
    // Alternatives first .. last - 1 have the bytes so far in common.
    std::size_t first = 0, last = all.size(), length = 0;
    while (losses.size() < text.size() && (length == 0 || length < all[first].text.size())) {
      const char c = text[losses.size()];
      const auto smaller = [&](const Alternative& a, char x) {
        return static_cast<unsigned char>(a.text[length]) < static_cast<unsigned char>(x);
      };
      const auto greater = [&](char x, const Alternative& a) {
        return static_cast<unsigned char>(x) < static_cast<unsigned char>(a.text[length]);
      };
      const double before = place.cumulative[last] - place.cumulative[first];
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = all.begin() + static_cast<std::ptrdiff_t>(last);
      last = static_cast<std::size_t>(std::upper_bound(begin, end, c, greater) - all.begin());
      first = static_cast<std::size_t>(std::lower_bound(begin, end, c, smaller) - all.begin());
      if (first == last)
        throw Error("grammar", "text must be made by the grammar, but byte " +
                                   std::to_string(losses.size()) +
                                   " cannot follow what is before it");
      losses.push_back(std::log(before / (place.cumulative[last] - place.cumulative[first])));
      ++length;
    }
    walk.go_to(all[first].next);
  }
  return losses;
}

double Grammar::entropy_rate() const {
  const std::size_t n = places_.size();
  std::vector<double> entropy(n + 1, 0), bytes(n + 1, 0);  // from a node until its routine returns
  const auto index = [n](Node node) { return node == kReturn ? n : node; };
  // Gauss-Seidel: the routines return with certainty, so it converges geometrically.
  for (double change = 1; change > 1e-14;) {
    change = 0;
    for (std::size_t i = n; i-- > 0;) {
      const Place& place = places_[i];
      double h = 0, l = 0;
      if (place.is_call) {
        h = entropy[index(place.routine)] + entropy[index(place.then)];
        l = bytes[index(place.routine)] + bytes[index(place.then)];
      }
      for (std::size_t k = 0; k < place.alternatives.size(); ++k) {
        const Alternative& a = place.alternatives[k];
        const double p = place.cumulative[k + 1] - place.cumulative[k];
        h += p * (entropy[index(a.next)] - std::log(p));
        l += p * (bytes[index(a.next)] + static_cast<double>(a.text.size()));
      }
      if (l > 0) change = std::max(change, std::abs(l - bytes[i]) / l);
      entropy[i] = h;
      bytes[i] = l;
    }
  }
  return entropy[start_] / bytes[start_];
}

}  // namespace bitlab
