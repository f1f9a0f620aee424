#pragma once
// Corpora: documents one after another, which may be more than memory holds.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace bitlab {

// Where a document belongs. Whole: to the part that is cut into train and val by its length.
enum class TextSplit { Whole, Train, Val, Test };

// A document, or a part of one that is long. Valid UTF-8 unless its corpus is measured and refused.
struct TextPart {
  TextSplit split = TextSplit::Whole;
  std::string_view text;
  bool ends_document = true;
  std::string_view where = {};  // for errors: "shelf/b.jsonl.gz:17"
};
using TextPartSink = std::function<void(const TextPart& part)>;

class Corpus {
 public:
  virtual ~Corpus() = default;
  // Tells these documents from all others without reading them: by hashes, or by path, size and
  // time of the files, and by what is done with them.
  virtual std::string identity() const = 0;
  // All documents, in the same order at every call, lines ending in \n. Throws Error with the place
  // if a file is damaged.
  virtual void read(const TextPartSink& sink) const = 0;
  // What the reader has to be told, after a read(): documents left out.
  virtual std::vector<std::string> notes() const { return {}; }
};

// One document in memory.
class TextCorpus : public Corpus {
 public:
  TextCorpus(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
  std::string identity() const override;
  void read(const TextPartSink& sink) const override;

 private:
  std::string name_, text_;
};

struct CorpusFacts {
  std::uint64_t bytes = 0;        // of all documents
  std::uint64_t whole_bytes = 0;  // of those that are cut into train and val
  std::uint64_t documents = 0;
  std::string sha256;  // of the documents with a byte 0xFF between them, which no text has
};
// Reads a corpus once. Throws Error if a document is not UTF-8, or if there is none.
CorpusFacts measure(const Corpus& corpus);

// The documents as they are trained and judged on. The part that is Whole is cut at byte
// int((1 - val_fraction) * its bytes), or before the character there; what comes first is Train,
// the rest Val. So the validation text is the same for every tokenizer, and for one of single bytes
// the cut is nanoGPT's.
void read_splits(const Corpus& corpus,
                 const CorpusFacts& facts,
                 double val_fraction,
                 const TextPartSink& sink);

// The same as what tokenizers are made of: line breaks stand between documents.
TokenizerTexts tokenizer_texts(const Corpus& corpus, const CorpusFacts& facts, double val_fraction);

}  // namespace bitlab
