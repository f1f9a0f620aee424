#pragma once
// Texts of one's own: .txt and .jsonl files, plain or gzip, as a corpus.
#include <memory>

#include "core/config/fields.h"
#include "core/data/corpus.h"

namespace bitlab {

// The settings of the data source `files`. None enters the run id by itself: the documents that
// come out do.
struct FilesConfig : Configurable {
  std::string path;                 // a file, a folder with all below it, or a pattern with * ? [
  std::string text_field = "text";  // of a .jsonl record; a.b for b within a
  std::int64_t min_words = 0, max_words = 0;  // of a document, between white space; max 0: any
  std::string quality_field;                  // of a .jsonl record, a number; empty: none
  double min_quality = 0;                     // records below it, or without it, are left out

  void fields(FieldVisitor& v) override;
};

// Files in the order of their paths. Of a .txt each is a document, unless lines <|endoftext|> end
// documents; the line breaks around those lines are left out. Of a .jsonl each line is one. A
// document beyond 16 MiB comes in parts that end between a letter and a line break. Throws
// UsageError if there are no such files.
std::unique_ptr<Corpus> files_corpus(const FilesConfig& config);

}  // namespace bitlab
