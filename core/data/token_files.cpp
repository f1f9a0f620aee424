// Tokens in files of the cache: CACHE/tokens/NAME-KEY/, as docs/data.md describes them.
#include <sys/mman.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/data/split_encoder.h"
#include "core/data/tokenised_corpus.h"
#include "core/io/mapped_file.h"
#include "core/io/npy.h"
#include "core/io/remote_file.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr int kFormat = 1;
constexpr const char* kIndex = "corpus.json";
constexpr const char* kHint = "delete the folder, and it is made again";
constexpr std::uint64_t kReported = 16 << 20;  // bytes of text between two reports
constexpr std::size_t kHashedAtOpening = std::size_t{256} << 20;  // bytes of all shards

// The shards of one split, written one after another.
class ShardWriter {
 public:
  ShardWriter(fs::path folder, std::string split, int width, std::size_t tokens_of_a_shard)
      : folder_(std::move(folder)),
        split_(std::move(split)),
        width_(width),
        most_(tokens_of_a_shard) {}

  void append(const std::int32_t* ids, std::size_t count) {
    while (count > 0) {
      if (!shard_) begin();
      const std::size_t here = std::min(count, most_ - shard_->count());
      shard_->append(ids, here);
      if (shard_->count() == most_) end();
      ids += here;
      count -= here;
    }
  }
  // The shards, for the index.
  ordered_json finish() {
    if (shard_) end();
    return shards_;
  }

 private:
  void begin() {
    char number[16];
    std::snprintf(number, sizeof number, "-%05zu.npy", shards_.size());
    file_ = split_ + number;
    shard_ = std::make_unique<NpyWriter>(folder_ / file_, width_);
  }
  void end() {
    shard_->finish();
    shards_.push_back(
        {{"file", file_}, {"tokens", shard_->count()}, {"sha256", sha256_file(folder_ / file_)}});
    shard_.reset();
  }

  fs::path folder_;
  std::string split_, file_;
  int width_;
  std::size_t most_;
  std::unique_ptr<NpyWriter> shard_;
  ordered_json shards_ = ordered_json::array();
};

void write_folder(const fs::path& folder,
                  const std::string& name,
                  const Corpus& corpus,
                  const TokenizerChoice& choice,
                  double val_fraction,
                  const FetchProgress& progress,
                  std::size_t tokens_of_a_shard) {
  const CorpusFacts facts = measure(corpus);
  const auto tokenizer = choice.make(tokenizer_texts(corpus, facts, val_fraction));
  const int width = tokenizer->vocab_size() <= 65536 ? 2 : 4;
  std::vector<ShardWriter> writers;
  for (const char* split : kSplitNames)
    writers.emplace_back(folder, split, width, tokens_of_a_shard);
  std::uint64_t reported = 0;
  const SplitBytes bytes =
      encode_splits(corpus, facts, val_fraction, *tokenizer,
                    [&](TextSplit split, const std::vector<std::int32_t>& ids, std::uint64_t done) {
                      writers[split_index(split)].append(ids.data(), ids.size());
                      if (!progress || (done < reported + kReported && done < facts.bytes)) return;
                      progress(name + " tokens", reported = done, facts.bytes);
                    });
  ordered_json splits = ordered_json::object();
  for (std::size_t i = 0; i < writers.size(); ++i)
    splits[kSplitNames[i]] = {{"bytes", bytes[i]}, {"shards", writers[i].finish()}};
  ordered_json described = {{"id", tokenizer->id()}};
  if (choice.of_text) described["is"] = ordered_json::parse(tokenizer->to_json());
  const ordered_json index = {{"format", kFormat},
                              {"source", name},
                              {"sha256", facts.sha256},
                              {"bytes", facts.bytes},
                              {"documents", facts.documents},
                              {"notes", corpus.notes()},
                              {"vocab_size", tokenizer->vocab_size()},
                              {"tokenizer", described},
                              {"splits", splits}};
  write_file_atomic(folder / kIndex, index.dump(1) + "\n");
}

// A folder that is there is whole: it is made under another name.
void make_folder(const fs::path& folder, const std::function<void(const fs::path&)>& fill) {
  const fs::path parent = folder.parent_path();
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) throw Error(parent.string(), "cannot be created: " + error.message());
  const fs::path lock_file = parent / (folder.filename().string() + ".lock");
  const FileLock lock = FileLock::wait_for(lock_file);
  if (fs::exists(folder)) return;  // another process made it meanwhile
  const fs::path fresh = parent / (folder.filename().string() + ".part");
  fs::remove_all(fresh, error);  // of one that was killed
  fs::create_directory(fresh);
  try {
    fill(fresh);
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
  sync_path(fresh);
  fs::rename(fresh, folder);
  sync_path(parent);
}

ordered_json read_index(const fs::path& folder) {
  try {
    ordered_json index = ordered_json::parse(read_file(folder / kIndex));
    if (const int format = index.at("format").get<int>(); format > kFormat)
      throw Obstacle(folder.string(),
                     "must be of format " + std::to_string(kFormat) + ", but is of format " +
                         std::to_string(format),
                     "a newer bitlab wrote it: set BITLAB_CACHE to another folder");
    return index;
  } catch (const nlohmann::json::exception& e) {
    throw Error((folder / kIndex).string(),
                std::string("must be as it was written, but ") + e.what(), kHint);
  }
}

struct MappedShard {
  MappedFile file;
  NpyValues values;
  std::string sha256;  // that it must have
};

// Throws Error unless the file is as long as the index says.
MappedShard map_shard(const fs::path& folder, const ordered_json& described) {
  const fs::path path = folder / described.at("file").get<std::string>();
  try {
    MappedFile file(path);
    const NpyValues values = read_npy(file.data(), file.size(), path.string());
    if (values.count != described.at("tokens").get<std::size_t>())
      throw Error(path.string(), "must have " + described.at("tokens").dump() +
                                     " tokens, but has " + std::to_string(values.count));
    return {std::move(file), values, described.at("sha256").get<std::string>()};
  } catch (const Error& e) {
    throw Error(folder.string(), std::string("must be as it was written, but: ") + e.what(), kHint);
  }
}

// Block by block, so that no more than one counts as memory of this process.
void verify_shard(const MappedShard& shard) {
  constexpr std::size_t kBlock = std::size_t{8} << 20;
  Sha256 hash;
  for (std::size_t at = 0; at < shard.file.size(); at += kBlock) {
    const std::string_view block(shard.file.data() + at, std::min(kBlock, shard.file.size() - at));
    hash.update(block);
    shard.file.give_back(block.data(), block.size());
  }
  const std::string got = hash.hex();
  if (got != shard.sha256)
    throw Error(shard.file.where(), "must have sha256 " + shard.sha256 + ", but has " + got,
                "the file is damaged: delete its folder, and it is made again");
}

// `verify`: hash every shard, however large.
LmDataset map_splits(const fs::path& folder, const ordered_json& index, bool verify) {
  LmDataset result;
  TokenSequence* sequences[] = {&result.train, &result.val, &result.test};
  std::uint64_t* bytes[] = {&result.train_bytes, &result.val_bytes, &result.test_bytes};
  const auto vocab_size = index.at("vocab_size").get<std::size_t>();
  std::size_t all = 0;
  for (std::size_t i = 0; i < kSplitNames.size(); ++i) {
    const ordered_json& split = index.at("splits").at(kSplitNames[i]);
    *bytes[i] = split.at("bytes").get<std::uint64_t>();
    const auto shards = std::make_shared<std::vector<MappedShard>>();
    for (const ordered_json& described : split.at("shards")) {
      shards->push_back(map_shard(folder, described));
      all += shards->back().file.size();
    }
    std::vector<TokenSequence::Stretch> stretches;
    for (const MappedShard& shard : *shards) {
      if (verify || all <= kHashedAtOpening) verify_shard(shard);
      // Windows are read at random: what lies behind them need not be read ahead.
      if (all > kHashedAtOpening)
        ::madvise(const_cast<char*>(shard.file.data()), shard.file.size(), MADV_RANDOM);
      stretches.push_back({shard.file.data() + shard.values.offset, shard.values.count,
                           shard.values.width, shard.file.where(), &shard.file});
    }
    *sequences[i] = TokenSequence(stretches, shards, vocab_size);
  }
  return result;
}

fs::path folder_of(const std::string& name,
                   const Corpus& corpus,
                   const TokenizerChoice& choice,
                   double val_fraction) {
  char fraction[32];
  std::snprintf(fraction, sizeof fraction, "%a", val_fraction);
  const std::string key = sha256_hex("format " + std::to_string(kFormat) + "\n" + name + "\n" +
                                     corpus.identity() + "\n" + choice.key + "\n" + fraction)
                              .substr(0, 16);
  return cache_folder() / "tokens" / (name + "-" + key);
}

}  // namespace

TokenisedCorpus tokenise_cached(const std::string& name,
                                const Corpus& corpus,
                                const TokenizerChoice& choice,
                                double val_fraction,
                                const FetchProgress& progress,
                                std::size_t tokens_of_a_shard) {
  const fs::path folder = folder_of(name, corpus, choice, val_fraction);
  if (!fs::exists(folder))
    make_folder(folder, [&](const fs::path& fresh) {
      write_folder(fresh, name, corpus, choice, val_fraction, progress, tokens_of_a_shard);
    });
  const ordered_json index = read_index(folder);
  try {
    TokenisedCorpus result;
    result.splits = map_splits(folder, index, /*verify=*/false);
    require_splits(result.splits, val_fraction);
    const ordered_json& kept = index.at("tokenizer");
    result.tokenizer =
        choice.of_text ? std::shared_ptr<const Tokenizer>(tokenizer_from_json(kept.at("is").dump()))
                       : choice.make({});
    if (result.tokenizer->id() != kept.at("id"))
      throw Error(
          folder.string(),
          "must be of tokenizer " + result.tokenizer->id() + ", but is of " + kept.at("id").dump(),
          kHint);
    result.sha256 = index.at("sha256").get<std::string>();
    result.bytes = index.at("bytes").get<std::uint64_t>();
    result.notes = index.at("notes").get<std::vector<std::string>>();
    return result;
  } catch (const nlohmann::json::exception& e) {
    throw Error((folder / kIndex).string(),
                std::string("must be as it was written, but ") + e.what(), kHint);
  }
}

bool tokens_are_cached(const std::string& name,
                       const Corpus& corpus,
                       const TokenizerChoice& choice,
                       double val_fraction) {
  return fs::exists(folder_of(name, corpus, choice, val_fraction));
}

std::vector<fs::path> token_folders() {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(cache_folder() / "tokens", error))
    if (fs::exists(entry.path() / kIndex) && entry.path().extension() != ".part")
      folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

void verify_tokens(const fs::path& folder) {
  const ordered_json index = read_index(folder);
  try {
    map_splits(folder, index, /*verify=*/true);
  } catch (const nlohmann::json::exception& e) {
    throw Error((folder / kIndex).string(),
                std::string("must be as it was written, but ") + e.what(), kHint);
  }
}

}  // namespace bitlab
