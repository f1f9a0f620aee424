#include "core/data/text_files.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/text_reader.h"
#include "core/io/remote_file.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kWhere = "data.files.path";

enum class Kind { None, Text, Records };

Kind kind_of(fs::path path) {
  if (path.extension() == ".gz") path.replace_extension();
  if (path.extension() == ".txt") return Kind::Text;
  return path.extension() == ".jsonl" ? Kind::Records : Kind::None;
}

std::vector<fs::path> matches_of(const std::string& pattern) {
  glob_t found{};
  std::vector<fs::path> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  return paths;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && kind_of(entry.path()) != Kind::None)
      paths.push_back(entry.path());
  return paths;
}

// All files that the path names, in order.
std::vector<fs::path> files_of(const std::string& path) {
  const bool pattern = path.find_first_of("*?[") != std::string::npos && !fs::exists(path);
  std::vector<fs::path> named = pattern ? matches_of(path) : std::vector<fs::path>{path}, files;
  for (const fs::path& p : named) {
    if (fs::is_directory(p)) {
      const auto below = files_in(p);
      files.insert(files.end(), below.begin(), below.end());
    } else if (!fs::exists(p)) {
      throw UsageError(kWhere, "must name what is there, but there is no " + p.string());
    } else if (kind_of(p) == Kind::None) {
      throw UsageError(
          kWhere, "must name .txt or .jsonl files, plain or .gz, but " + p.string() + " is none");
    } else {
      files.push_back(p);
    }
  }
  if (files.empty())
    throw UsageError(kWhere, "must name at least one .txt or .jsonl file, plain or .gz, but " +
                                 path + " has none");
  std::sort(files.begin(), files.end());
  return files;
}

std::int64_t words_in(std::string_view text) {
  std::int64_t words = 0;
  bool within = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    words += !space && !within;
    within = !space;
  }
  return words;
}

// The value at a.b of a record; null if there is none.
const json* field_of(const json& record, std::string_view path) {
  const json* value = &record;
  while (true) {
    const std::size_t dot = path.find('.');
    if (!value->is_object()) return nullptr;
    const auto found = value->find(std::string(path.substr(0, dot)));
    if (found == value->end()) return nullptr;
    value = &*found;
    if (dot == std::string_view::npos) return value;
    path.remove_prefix(dot + 1);
  }
}

class FilesCorpus : public Corpus {
 public:
  FilesCorpus(FilesConfig config, std::vector<fs::path> files)
      : config_(std::move(config)), files_(std::move(files)) {}

  std::string identity() const override {
    json id = {config_.text_field, config_.min_words, config_.max_words, config_.quality_field,
               config_.min_quality};
    for (const fs::path& file : files_)
      id.push_back({file.string(), fs::file_size(file),
                    fs::last_write_time(file).time_since_epoch().count()});
    return id.dump();
  }

  void read(const TextPartSink& sink) const override {
    documents_ = by_words_ = by_quality_ = 0;
    for (const fs::path& file : files_)
      kind_of(file) == Kind::Text ? read_text(file, sink) : read_records(file, sink);
  }

  std::vector<std::string> notes() const override {
    if (by_words_ + by_quality_ == 0) return {};
    return {std::to_string(by_words_ + by_quality_) + " of " + std::to_string(documents_) +
            " documents are left out: " + std::to_string(by_words_) + " by their length, " +
            std::to_string(by_quality_) + " by their quality"};
  }

 private:
  // Whether a whole document has the right length.
  bool right_length(std::string_view text) const {
    if (config_.min_words == 0 && config_.max_words == 0) return true;
    const std::int64_t words = words_in(text);
    return words >= config_.min_words && (config_.max_words == 0 || words <= config_.max_words);
  }

  void read_text(const fs::path& file, const TextPartSink& sink) const {
    const std::string where = file.string();
    bool begun = false, left_out = false;
    read_text_documents(file, [&](std::string_view text, bool ends) {
      if (!begun) {
        ++documents_;
        left_out = ends ? !right_length(text) : config_.max_words > 0;  // in parts: too long
        by_words_ += left_out ? 1 : 0;
      }
      if (!left_out) sink({TextSplit::Whole, text, ends, where});
      begun = !ends;
    });
  }

  void read_records(const fs::path& file, const TextPartSink& sink) const {
    read_lines(file, [&](const TextLine& line) {
      if (line.text.find_first_not_of(" \t") == std::string_view::npos) return;
      const std::string where = file.string() + ":" + std::to_string(line.number);
      const json record = parsed(line.text, where);
      const json* text = field_of(record, config_.text_field);
      if (text == nullptr || !text->is_string())
        throw Error(where, "must have a text in '" + config_.text_field + "', but has none",
                    "data.files.text_field names the field");
      ++documents_;
      if (!good(record)) {
        ++by_quality_;
        return;
      }
      std::string content = text->get<std::string>();
      normalise_line_ends(content);
      if (right_length(content))
        sink({TextSplit::Whole, content, true, where});
      else
        ++by_words_;
    });
  }

  static json parsed(std::string_view line, const std::string& where) {
    try {
      json record = json::parse(line);
      if (record.is_object()) return record;
    } catch (const json::exception& e) {
      throw Error(where, std::string("must be a JSON object, but ") + e.what());
    }
    throw Error(where, "must be a JSON object, but is none");
  }

  bool good(const json& record) const {
    if (config_.quality_field.empty()) return true;
    const json* quality = field_of(record, config_.quality_field);
    return quality != nullptr && quality->is_number() &&
           quality->get<double>() >= config_.min_quality;
  }

  FilesConfig config_;
  std::vector<fs::path> files_;
  mutable std::int64_t documents_ = 0, by_words_ = 0, by_quality_ = 0;  // of the last read()
};

}  // namespace

void FilesConfig::fields(FieldVisitor& v) {
  const auto field = [&](const char* name, auto& value, FieldInfo info) {
    info.hashed = false;  // the documents that come out enter the run id
    v.field(name, value, info);
  };
  field("path", path,
        {.help = "a .txt or .jsonl file, plain or .gz, a folder of them or a pattern"});
  field("text_field", text_field, {.help = "of a .jsonl record; a.b for b within a"});
  field("min_words", min_words, {.help = "shorter documents are left out", .min = 0});
  field("max_words", max_words, {.help = "longer documents are left out; 0: none", .min = 0});
  field("quality_field", quality_field, {.help = "number of a .jsonl record; empty: none"});
  field("min_quality", min_quality, {.help = "records below it, or without it, are left out"});
  v.require(!path.empty(), "path", "must name files", "write data.files.path = \"FOLDER\"");
  v.require(max_words == 0 || max_words >= min_words, "max_words", "must not be below min_words",
            "0 is no limit");
}

std::unique_ptr<Corpus> files_corpus(const FilesConfig& config) {
  return std::make_unique<FilesCorpus>(config, files_of(config.path));
}

}  // namespace bitlab
