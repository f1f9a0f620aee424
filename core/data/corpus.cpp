#include "core/data/corpus.h"

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/text/utf8.h"

namespace bitlab {

namespace {

// The first byte that is not UTF-8; the size if all are.
std::size_t first_bad_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length =
        static_cast<unsigned char>(text[at]) < 0x80 ? 1 : utf8_length(text, at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

// The part of UTF-8 text before this byte, without half a character.
std::size_t character_begin(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

}  // namespace

std::string TextCorpus::identity() const { return name_ + " " + sha256_hex(text_); }

void TextCorpus::read(const TextPartSink& sink) const {
  sink({TextSplit::Whole, text_, true, name_});
}

CorpusFacts measure(const Corpus& corpus) {
  CorpusFacts facts;
  Sha256 hash;
  bool between = false;
  std::uint64_t at = 0;  // within the document
  corpus.read([&](const TextPart& part) {
    if (between) hash.update("\xff");
    if (const std::size_t bad = first_bad_byte(part.text); bad < part.text.size())
      throw Error(std::string(part.where),
                  "must be UTF-8, but byte " + std::to_string(at + bad) + " of the text is not",
                  "convert the file, for example with iconv");
    hash.update(part.text);
    facts.bytes += part.text.size();
    if (part.split == TextSplit::Whole) facts.whole_bytes += part.text.size();
    facts.documents += part.ends_document ? 1 : 0;
    between = part.ends_document;
    at = part.ends_document ? 0 : at + part.text.size();
  });
  if (facts.bytes == 0) {
    std::string reasons;
    for (const std::string& note : corpus.notes()) reasons += "; " + note;
    throw Error("corpus", "must have documents, but none is left" + reasons);
  }
  facts.sha256 = hash.hex();
  return facts;
}

void read_splits(const Corpus& corpus,
                 const CorpusFacts& facts,
                 double val_fraction,
                 const TextPartSink& sink) {
  const auto cut =
      static_cast<std::uint64_t>((1.0 - val_fraction) * static_cast<double>(facts.whole_bytes));
  std::uint64_t before = 0;  // bytes of Whole that were handed out
  bool past = false;         // the cut
  corpus.read([&](TextPart part) {
    if (part.split != TextSplit::Whole) return sink(part);
    const std::string_view text = part.text;
    const std::size_t head =
        past ? 0
             : character_begin(text, static_cast<std::size_t>(
                                         std::min<std::uint64_t>(cut - before, text.size())));
    before += text.size();
    const bool cuts = !past && before > cut;
    if (head > 0 || (!past && !cuts))
      sink({TextSplit::Train, text.substr(0, head), part.ends_document || cuts, part.where});
    past = past || cuts;
    if (past && (head < text.size() || part.ends_document))
      sink({TextSplit::Val, text.substr(head), part.ends_document, part.where});
  });
}

TokenizerTexts tokenizer_texts(const Corpus& corpus,
                               const CorpusFacts& facts,
                               double val_fraction) {
  const auto reader = [&corpus, facts, val_fraction](bool train_only) {
    return [&corpus, facts, val_fraction, train_only](const auto& take) {
      bool between = false;
      read_splits(corpus, facts, val_fraction, [&](const TextPart& part) {
        if (train_only && part.split != TextSplit::Train) return;
        if (between) take("\n");
        take(part.text);
        between = part.ends_document && facts.documents > 1;
      });
    };
  };
  return {reader(false), reader(true)};
}

}  // namespace bitlab
