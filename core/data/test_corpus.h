#pragma once
// A corpus of a list of parts. Tests only.
#include "core/data/corpus.h"

namespace bitlab {

class TestCorpus : public Corpus {
 public:
  struct Part {
    TextSplit split = TextSplit::Whole;
    std::string text;
    bool ends = true;
    std::string where = "here";
  };
  explicit TestCorpus(std::vector<Part> parts, std::string identity = "test")
      : parts_(std::move(parts)), identity_(std::move(identity)) {}
  std::string identity() const override { return identity_; }
  void read(const TextPartSink& sink) const override {
    ++reads;
    for (const Part& p : parts_) sink({p.split, p.text, p.ends, p.where});
  }
  mutable int reads = 0;

 private:
  std::vector<Part> parts_;
  std::string identity_;
};

}  // namespace bitlab
