#include "core/data/corpora.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/text_reader.h"
#include "core/io/packed_files.h"
#include "core/io/remote_file.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// Whether an article begins at text[at], where a line begins.
bool article_begins(std::string_view text, std::size_t at) {
  constexpr std::string_view kBefore = " \n = ", kAfter = " = ";
  if (text.compare(at, kBefore.size(), kBefore) != 0) return false;
  const std::size_t title = at + kBefore.size();
  const std::string_view line = text.substr(title, text.find('\n', title) - title);
  return line.size() > kAfter.size() && line[0] != '=' && line.ends_with(kAfter);
}

// 0, 1, 2 of the names of train, valid and test, else -1.
int split_of(const std::string& name) {
  constexpr const char* kNames[] = {"wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"};
  for (int i = 0; i < 3; ++i)
    if (name.ends_with(kNames[i])) return i;
  return -1;
}

struct Review {
  bool test = false, good = false;
  int number = 0;
  std::string text;
  auto key() const { return std::tuple(test, number, good); }
};

// Of "aclImdb/train/pos/17_9.txt"; false if it is another file.
bool parse_name(const std::string& name, Review& review) {
  const fs::path path(name);
  const std::string label = path.parent_path().filename().string(),
                    split = path.parent_path().parent_path().filename().string(),
                    file = path.filename().string();
  if (path.extension() != ".txt" || (label != "pos" && label != "neg") ||
      (split != "train" && split != "test"))
    return false;
  review.test = split == "test";
  review.good = label == "pos";
  return std::from_chars(file.data(), file.data() + file.size(), review.number).ec == std::errc();
}

std::string with_line_breaks(std::string_view text) {
  constexpr std::string_view kBreak = "<br />";
  std::string result;
  for (std::size_t end; (end = text.find(kBreak)) != std::string_view::npos;) {
    result += text.substr(0, end);
    result += '\n';
    text.remove_prefix(end + kBreak.size());
  }
  return result += text;
}

}  // namespace

std::string sorted_articles(std::string_view text) {
  std::vector<std::string_view> articles;
  std::size_t begin = 0;
  for (std::size_t line = text.find('\n'); line != std::string_view::npos;
       line = text.find('\n', line + 1)) {
    if (!article_begins(text, line + 1)) continue;
    articles.push_back(text.substr(begin, line + 1 - begin));
    begin = line + 1;
  }
  articles.push_back(text.substr(begin));
  std::sort(articles.begin(), articles.end());
  std::string sorted;
  sorted.reserve(text.size());
  for (const std::string_view article : articles) sorted += article;
  return sorted;
}

void read_wikitext(const FetchedSource& files, const TextPartSink& sink) {
  std::string texts[3];
  if (files.form == 0)
    read_archive(
        files.paths[0], [](const std::string& name) { return split_of(name) >= 0; },
        [&](const std::string& name, std::string content) {
          texts[split_of(name)] = std::move(content);
        });
  else
    for (std::size_t i = 0; i < 3; ++i) {
      texts[i] = read_file(files.paths[i]);
      normalise_line_ends(texts[i]);  // of a copy that was taken all the same, with a note
    }
  const std::string train = sorted_articles(texts[0]);
  sink({TextSplit::Train, train, true, "wikitext-2 train"});
  sink({TextSplit::Val, texts[1], true, "wikitext-2 valid"});
  sink({TextSplit::Test, texts[2], true, "wikitext-2 test"});
}

void read_tinystories(const FetchedSource& files, const TextPartSink& sink) {
  constexpr TextSplit kSplits[] = {TextSplit::Train, TextSplit::Val};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string where = files.paths[i].string();
    read_text_documents(files.paths[i], [&](std::string_view text, bool ends) {
      sink({kSplits[i], text, ends, where});
    });
  }
}

namespace {

// In the order of split, number and label.
std::vector<Review> imdb_reviews(const FetchedSource& files) {
  std::vector<Review> reviews;
  Review review;
  read_archive(
      files.paths[0], [&](const std::string& name) { return parse_name(name, review); },
      [&](const std::string&, std::string content) {
        review.text = with_line_breaks(content);
        reviews.push_back(review);
      });
  std::sort(reviews.begin(), reviews.end(),
            [](const Review& a, const Review& b) { return a.key() < b.key(); });
  return reviews;
}

}  // namespace

void read_imdb(const FetchedSource& files, const TextPartSink& sink) {
  for (const Review& r : imdb_reviews(files)) {
    const std::string where = "imdb review " + std::to_string(r.number);
    sink({r.test ? TextSplit::Test : TextSplit::Whole, r.text, true, where});
  }
}

void read_imdb_labelled(const FetchedSource& files, const LabelledTextSink& sink) {
  for (Review& r : imdb_reviews(files))
    sink({r.test ? LabelledSplit::Test : LabelledSplit::Train, r.good, std::move(r.text)});
}

namespace {

constexpr std::size_t kHeldOut = 50;  // one in so many reviews without a label

// "12" of "train/unsup/12_0.txt"; -1 if it is another file.
int unlabelled_number(const std::string& name) {
  const fs::path path(name);
  const std::string file = path.filename().string();
  int number = -1;
  if (path.parent_path().filename() != "unsup") return -1;
  const auto parsed = std::from_chars(file.data(), file.data() + file.size(), number);
  return parsed.ec == std::errc() ? number : -1;
}

using NumberedTexts = std::vector<std::pair<int, std::string>>;

NumberedTexts unlabelled_of_archive(const fs::path& path) {
  NumberedTexts texts;
  read_archive(
      path, [](const std::string& name) { return unlabelled_number(name) >= 0; },
      [&](const std::string& name, std::string content) {
        texts.emplace_back(unlabelled_number(name), std::move(content));
      });
  return texts;
}

NumberedTexts unlabelled_of_lines(const fs::path& path) {
  std::string all;
  read_blocks(path, [&](std::string_view block) { all += block; });
  NumberedTexts texts;
  std::size_t line = 0;
  for (std::string_view rest = all; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    ++line;
    try {
      const auto json = nlohmann::json::parse(rest.substr(0, end));
      texts.emplace_back(unlabelled_number(json.at("id")), json.at("text"));
    } catch (const nlohmann::json::exception& e) {
      throw Error(path.string() + ":" + std::to_string(line),
                  std::string("must be JSON with id and text, but: ") + e.what());
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return texts;
}

}  // namespace

void read_imdb_unlabelled(const FetchedSource& files, const LabelledTextSink& sink) {
  NumberedTexts texts =
      files.form == 0 ? unlabelled_of_archive(files.paths[0]) : unlabelled_of_lines(files.paths[0]);
  std::sort(texts.begin(), texts.end());
  for (std::size_t i = 0; i < texts.size(); ++i)
    sink({i % kHeldOut == kHeldOut - 1 ? LabelledSplit::Test : LabelledSplit::Train, 0,
          with_line_breaks(texts[i].second)});
}

}  // namespace bitlab
