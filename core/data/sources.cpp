#include "core/data/sources.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/data/builtin_sources.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// Where a text that the program makes is kept on request.
RemoteFile made(const Source& source) {
  return {source.name, source.name + ".txt", {}, source.bytes, source.sha256};
}

std::optional<FetchedSource> local(const Source& source, std::vector<std::string>& notes) {
  if (source.sha256.empty() && source.forms.empty())
    return FetchedSource{{source.name}, 0, {}};  // a file of one's own, or what settings name
  const auto forms =
      source.forms.empty() ? std::vector<std::vector<RemoteFile>>{{made(source)}} : source.forms;
  for (std::size_t form = 0; form < forms.size(); ++form) {
    FetchedSource found{{}, form, {}};
    for (const RemoteFile& file : forms[form]) {
      const auto here = find_local(file, notes);
      if (!here) break;
      found.paths.push_back(here->path);
      found.notes.insert(found.notes.end(), here->notes.begin(), here->notes.end());
    }
    if (found.paths.size() == forms[form].size()) return found;
  }
  return std::nullopt;
}

std::string generated(const Source& source) {
  std::string text = source.generate();
  if (sha256_hex(text) != source.sha256)
    throw Error(source.name,
                "must have sha256 " + source.sha256 + ", but this build makes " + sha256_hex(text));
  return text;
}

Source own_text(const std::string& path) {
  Source source;
  source.name = path;
  source.generate = [path] { return read_file(path); };
  return source;
}

}  // namespace

Registry<Source>& data_sources() {
  static Registry<Source> registry("data source", register_builtin_sources);
  return registry;
}

Source find_source(const std::string& name) {
  if (name.find('/') != std::string::npos) return own_text(name);
  if (data_sources().contains(name)) return data_sources().at(name);
  std::string known;
  for (const std::string& other : data_sources().names())
    known += (known.empty() ? "" : ", ") + other;
  throw UsageError(
      "data source",
      "must be one of " + known + ", or the path of a text file, but got '" + name + "'",
      "a path must have a '/' in it, as in ./" + name);
}

std::optional<FetchedSource> find_local(const Source& source) {
  std::vector<std::string> notes;
  return local(source, notes);
}

FetchedSource fetch(const Source& source, const FetchProgress& progress) {
  FetchedSource result;
  if (auto here = local(source, result.notes)) return *here;
  if (source.generate) {
    result.paths = {cached_path(made(source))};
    write_file_atomic(result.paths.front(), generated(source));
    return result;
  }
  result.notes.clear();
  for (const RemoteFile& file : source.forms.front()) {
    Fetched fetched = bitlab::fetch(file, progress);
    result.paths.push_back(std::move(fetched.path));
    result.notes.insert(result.notes.end(), fetched.notes.begin(), fetched.notes.end());
  }
  return result;
}

namespace {

class FetchedCorpus : public Corpus {
 public:
  FetchedCorpus(Source source, FetchProgress progress)
      : source_(std::move(source)), progress_(std::move(progress)) {}

  // The text's hash, if it is known: it is the same whatever form is used.
  std::string identity() const override {
    std::string id = source_.name + " " + std::to_string(source_.version) + " " + source_.sha256;
    if (source_.sha256.empty())
      for (const RemoteFile& file : source_.forms.front()) id += " " + file.sha256;
    return id;
  }
  void read(const TextPartSink& sink) const override {
    if (files_.paths.empty()) files_ = fetch(source_, progress_);
    source_.read(files_, sink);
  }

 private:
  Source source_;
  FetchProgress progress_;
  mutable FetchedSource files_;  // once they were read
};

// The text of a source that is no corpus.
void open_text(const Source& source,
               const FetchProgress& progress,
               SourceText& result,
               std::vector<std::string>& notes) {
  if (source.generate) {
    result.text = source.sha256.empty() ? source.generate() : generated(source);
  } else {
    const FetchedSource fetched = fetch(source, progress);
    notes.insert(notes.end(), fetched.notes.begin(), fetched.notes.end());
    result.text = read_file(fetched.paths.front());
  }
  const std::size_t removed = normalise_line_ends(result.text);
  if (removed > 0 && source.generate) notes.push_back(crlf_note(source.name, removed));
  result.sha256 = sha256_hex(result.text);
  result.bytes = result.text.size();
}

}  // namespace

std::unique_ptr<Corpus> corpus_of(const Source& source, const FetchProgress& progress) {
  return std::make_unique<FetchedCorpus>(source, progress);
}

SourceText open_first(const std::vector<Source>& candidates,
                      const std::function<bool(const Source& source, const Corpus& corpus)>& kept,
                      const FetchProgress& progress) {
  std::vector<std::string> notes;
  for (const Source& source : candidates) {
    try {
      SourceText result;
      result.name = source.name;
      if (source.open) {
        result.corpus = source.open(source.settings ? *source.settings : *source.make_config());
      } else if (source.read) {
        result.corpus = corpus_of(source, progress);
        result.sha256 = source.sha256;
        if (!kept || !kept(source, *result.corpus)) {
          const FetchedSource fetched = fetch(source, progress);
          notes.insert(notes.end(), fetched.notes.begin(), fetched.notes.end());
        }
      } else {
        open_text(source, progress, result, notes);
      }
      result.notes = notes;
      return result;
    } catch (const UsageError&) {
      throw;  // settings that are wrong
    } catch (const Error& e) {
      notes.push_back(source.name + " is not used: " + e.what());
    }
  }
  std::string reasons;
  for (const std::string& note : notes) reasons += "\n  " + note;
  throw Error("data.sources", "at least one must be there, but none is:" + reasons);
}

SourceText open_first(const std::vector<std::string>& names) {
  std::vector<Source> candidates;
  for (const std::string& name : names) candidates.push_back(find_source(name));
  return open_first(candidates);
}

}  // namespace bitlab
