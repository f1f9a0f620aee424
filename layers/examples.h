#pragma once
// One or several small instances of every layer, for tests that must hold for all of them. A new
// layer class is enrolled here; a test fails until it is.
#include <functional>
#include <string>
#include <vector>

#include "layers/bitlinear_config.h"
#include "layers/linear.h"
#include "layers/models/bert.h"
#include "layers/models/bitnet.h"
#include "layers/models/gpt.h"

namespace bitlab {

struct LayerExample {
  enum class Kind {
    Exact,            // backward is the derivative of forward
    StraightThrough,  // of a surrogate: see straight_through_test.cpp
    InPlace,  // exact, but prepare() writes over the weights: not to be called between differences
  };

  std::string name;  // class, then what is special: "SelfAttention, dropout"
  Kind kind = Kind::Exact;
  size_t in = 0;  // width of the input; 0: reads tokens below `vocab`
  size_t vocab = 0;
  std::function<LayerPtr()> make;
  LinearShape shape = {};  // straight-through layers only
  BitLinearConfig config = {};

  std::string class_name() const { return name.substr(0, name.find(',')); }
};

// Sequences of at most 5 positions fit them all.
const std::vector<LayerExample>& layer_examples();

// Adds an exact layer of this input width, or one that reads tokens below `vocab`.
void add_exact(std::vector<LayerExample>& all,
               const std::string& name,
               size_t in,
               std::function<LayerPtr()> make);
void add_on_tokens(std::vector<LayerExample>& all,
                   const std::string& name,
                   size_t vocab,
                   std::function<LayerPtr()> make);
void add_model_examples(std::vector<LayerExample>& all);

// A small GPT: 2 layers, 2 heads, width 8, 5 positions.
GptConfig small_gpt(const std::string& linear);
BitLinearConfig& bitlinear_settings(GptConfig& config);

// A small model of the b1.58 family: 2 layers, 4 heads that share 2 of keys, width 8, 5 positions.
BitnetConfig small_bitnet(const std::string& linear);
BitLinearConfig& bitlinear_settings(BitnetConfig& config);

// A small BERT: 2 layers, 2 heads, width 8, 5 positions, 3 labels, one type of tokens, no dropout.
BertConfig small_bert(const std::string& linear);
BitLinearConfig& bitlinear_settings(BertConfig& config);

}  // namespace bitlab
