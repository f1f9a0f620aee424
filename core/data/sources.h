#pragma once
// Texts by name: where they come from, where they are kept, and exactly which bytes a run was
// trained on.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "core/config/fields.h"
#include "core/data/corpus.h"
#include "core/data/labelled_texts.h"
#include "core/io/remote_file.h"

namespace bitlab {

struct FetchedSource {
  std::vector<std::filesystem::path> paths;  // of the files of one form, in its order
  std::size_t form = 0;
  std::vector<std::string> notes;  // whatever was not as it should be; show them to the user
};

// The plugin point `data source`.
struct Source {
  std::string name;
  // Sets of files, each of them enough: the first that is here is used, else the first one is
  // downloaded. None: the text is made by the program itself.
  std::vector<std::vector<RemoteFile>> forms;
  std::uint64_t bytes = 0;  // of the text
  std::string sha256;
  std::string licence;
  std::string description;
  std::function<std::string()> generate;  // instead of files
  int version = 1;                        // for lists: the content's hash enters the run id
  // Only of a source with settings, which stand in the table data.NAME; then it has no sha256, and
  // this takes the place of `generate`.
  MakeConfig make_config = no_settings;
  std::function<std::string(const Configurable& config)> generate_with = {};
  // Of a corpus, in place of one text: hands out its documents, from the files of a form.
  std::function<void(const FetchedSource& files, const TextPartSink& sink)> read = {};
  // Of a corpus that its settings name, in place of files: those that were read, in `settings`, or
  // the defaults.
  std::function<std::unique_ptr<Corpus>(const Configurable& config)> open = {};
  std::shared_ptr<Configurable> settings = {};
  // Of texts that are read as wholes, beside `read`: hands out all of them, in the same order at
  // every call. `labels` are the names of their classes; without names all texts have label 0.
  std::vector<std::string> labels = {};
  std::function<void(const FetchedSource& files, const LabelledTextSink& sink)> read_labelled = {};
};

//   tinyshakespeare, synthetic-plays: texts
//   wikitext-2, tinystories, imdb, files: corpora
//   imdb-sentiment: labelled texts
//   imdb-unlabelled: whole texts
Registry<Source>& data_sources();

// Throws UsageError that lists the names. A name with a '/' is a text file of one's own.
Source find_source(const std::string& name);

// The files of a source, as fetch(RemoteFile) finds them. What the program makes itself is written
// into the cache, as NAME/NAME.txt. Throws Error if no way works.
FetchedSource fetch(const Source& source, const FetchProgress& progress = {});

// The files, if those of a form are all in the cache or in a mirror, and right.
std::optional<FetchedSource> find_local(const Source& source);

struct SourceText {
  std::string name;                // of the source that was used
  std::string text;                // lines end in \n
  std::unique_ptr<Corpus> corpus;  // of a source that is one; then there is no text
  std::string sha256;              // of the text; of a corpus, if it is known
  std::uint64_t bytes = 0;
  std::vector<std::string>
      notes;  // why earlier sources were not used, and what was changed; show them
};

// The documents of a source with `read`. Its files are fetched when they are read; what tells them
// from others is known without.
std::unique_ptr<Corpus> corpus_of(const Source& source, const FetchProgress& progress = {});

// The first source that can be had. Corpora that are `kept` (as tokens) need no files. Throws Error
// with all the reasons if none can, and UsageError if the settings of one are wrong.
SourceText open_first(
    const std::vector<Source>& candidates,
    const std::function<bool(const Source& source, const Corpus& corpus)>& kept = {},
    const FetchProgress& progress = {});
SourceText open_first(const std::vector<std::string>& names);

}  // namespace bitlab
