// Labelled texts: subsets, and the reviews of IMDB.
#include "core/data/labelled_texts.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/data/sources.h"

using namespace bitlab;

namespace {

std::vector<LabelledText> texts(std::size_t n) {
  std::vector<LabelledText> all;
  for (std::size_t i = 0; i < n; ++i)
    all.push_back({i % 5 == 0 ? LabelledSplit::Test : LabelledSplit::Train,
                   static_cast<std::int64_t>(i % 3), "text " + std::to_string(i)});
  return all;
}

}  // namespace

TEST_CASE("a subset has as many of each label, and grows without changing", "[labelled]") {
  const auto all = texts(300);
  const auto few = stratified_subset(all, LabelledSplit::Train, 3, 20, 7),
             more = stratified_subset(all, LabelledSplit::Train, 3, 40, 7),
             other = stratified_subset(all, LabelledSplit::Train, 3, 20, 8);
  REQUIRE(few.size() == 20);
  std::map<std::int64_t, int> counts;
  for (const std::size_t i : few) {
    CHECK(all[i].split == LabelledSplit::Train);
    ++counts[all[i].label];
  }
  CHECK(counts == std::map<std::int64_t, int>{{0, 7}, {1, 7}, {2, 6}});
  CHECK(std::is_sorted(few.begin(), few.end()));
  CHECK(std::set<std::size_t>(few.begin(), few.end()).size() == 20);
  CHECK(std::includes(more.begin(), more.end(), few.begin(), few.end()));
  CHECK(few != other);
  CHECK(few == stratified_subset(all, LabelledSplit::Train, 3, 20, 7));
  CHECK(stratified_subset(all, LabelledSplit::Test, 3, 0, 7).size() == 60);
  CHECK_THROWS_WITH(stratified_subset(all, LabelledSplit::Test, 3, 63, 7),
                    Catch::Contains("data.test_samples") && Catch::Contains("20 of 21"));
}

TEST_CASE("the hash of labelled texts tells splits, labels, texts and their order", "[labelled]") {
  const auto all = texts(6);
  std::set<std::string> hashes = {hash_of(all)};
  auto changed = all;
  changed[1].label = 2;
  hashes.insert(hash_of(changed));
  changed = all;
  changed[1].split = LabelledSplit::Test;
  hashes.insert(hash_of(changed));
  changed = all;
  std::swap(changed[1], changed[4]);
  hashes.insert(hash_of(changed));
  changed = all;
  changed[1].text += "!";
  hashes.insert(hash_of(changed));
  CHECK(hashes.size() == 5);
}

TEST_CASE("IMDB's reviews come with their labels", "[labelled][imdb]") {
  const Source source = find_source("imdb-sentiment");
  CHECK(source.labels == std::vector<std::string>{"negative", "positive"});
  const auto files = find_local(source);
  if (!files) {
    WARN("SKIPPED: IMDB is neither in the cache nor in BITLAB_MIRROR");
    return;
  }
  std::map<std::pair<LabelledSplit, std::int64_t>, int> counts;
  std::vector<LabelledText> reviews;
  source.read_labelled(*files, [&](LabelledText text) {
    ++counts[{text.split, text.label}];
    CHECK(text.text.find("<br />") == std::string::npos);
    if (reviews.size() < 2) reviews.push_back(std::move(text));
  });
  CHECK(counts.size() == 4);
  for (const auto& [key, count] : counts) CHECK(count == 12500);
  REQUIRE(reviews.size() == 2);
  CHECK(reviews[0].label == 0);  // 0_3.txt, 0_9.txt
  CHECK(reviews[0].text.starts_with("Story of a man who has unnatural feelings for a pig."));
  CHECK(reviews[1].label == 1);
  CHECK(reviews[1].text.starts_with("Bromwell High is a cartoon comedy."));
}
