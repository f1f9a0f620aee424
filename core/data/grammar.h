#pragma once
// A probabilistic grammar whose texts can be read in one way only, so that the probability of a
// text, and what the best possible model loses on it, are known exactly.
//
// It is a set of nodes. A choice emits one of several strings, none of which begins another, and
// goes to the node behind it. A call runs a routine (all that follows from its first node until it
// returns) and goes on.
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/rng.h"

namespace bitlab {

class Grammar {
 public:
  using Node = std::size_t;
  static constexpr Node kReturn = std::numeric_limits<Node>::max();

  // Building. Probabilities are in proportion to the weights.
  Node add_choice();
  Node add_call(Node routine, Node then);
  void add(Node choice, const std::string& text, double weight, Node next);
  // Ends the building; `start` is the routine that runs again and again. Throws Error if two
  // strings of a choice could be taken for each other.
  void finish(Node start);

  // The first `bytes` bytes of the text that this stream of random numbers makes.
  std::string generate(const Rng& rng, std::size_t bytes) const;

  // -log p(byte | all bytes before it), in nats, for every byte of a text that begins where the
  // grammar begins. Throws Error with the place if the grammar cannot make this text.
  std::vector<double> losses(std::string_view text) const;

  // The mean of -log p(byte | past) over an endless text, in nats: E[entropy of the choices of one
  // run of the start routine] / E[its bytes], by the renewal-reward theorem, each from its linear
  // equations.
  double entropy_rate() const;

 private:
  struct Alternative {
    std::string text;
    double weight;
    Node next;
  };
  struct Place {
    bool is_call = false;
    Node routine = kReturn, then = kReturn;  // of a call
    std::vector<Alternative> alternatives;   // of a choice, sorted by text
    std::vector<double> cumulative;          // probability of the alternatives before each, and 1
  };
  class Walk;

  std::vector<Place> places_;
  Node start_ = kReturn;
};

}  // namespace bitlab
