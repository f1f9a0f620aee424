#pragma once
// Known corpora, from the files that they are published as. Used by builtin_sources.cpp.
#include "core/data/sources.h"

namespace bitlab {

// WikiText-2 (Merity et al., 2016): the text of each split is one document. The articles of train
// are sorted by their text: archives that have them in another order then give the same bytes.
// Files: the published .zip (form 0), or wiki.{train,valid,test}.tokens (form 1).
void read_wikitext(const FetchedSource& files, const TextPartSink& sink);

// TinyStories (Eldan and Li, 2023): documents between lines <|endoftext|>. Files: train and valid.
void read_tinystories(const FetchedSource& files, const TextPartSink& sink);

// The labelled reviews of aclImdb (Maas et al., 2011) as documents, train as one part to be cut and
// test as test, in the order of their numbers, bad before good; "<br />" is a line break. Files:
// the published .tar.gz, or one with fewer files.
void read_imdb(const FetchedSource& files, const TextPartSink& sink);

// The same reviews with their labels, 0 for bad and 1 for good, train before test.
void read_imdb_labelled(const FetchedSource& files, const LabelledTextSink& sink);

// The reviews of aclImdb without labels (all 0), in the order of their numbers; every 50th is held
// out as test. Files: the published .tar.gz (form 0), or gzipped lines of JSON {"id":
// "train/unsup/NUMBER_0", "text": ...} (form 1). Throws Error for a line that is none.
void read_imdb_unlabelled(const FetchedSource& files, const LabelledTextSink& sink);

// The articles of WikiText in the order of their text. An article begins with " \n = TITLE = \n".
std::string sorted_articles(std::string_view text);

}  // namespace bitlab
