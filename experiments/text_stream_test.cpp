// Stop strings and UTF-8 on a stream, cut in every way.
#include "experiments/text_stream.h"

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {
namespace {

struct Shown {
  std::string text;
  bool stopped = false;
  bool operator==(const Shown&) const = default;
};

// Pushes the text in pieces of these lengths, again and again.
Shown streamed(const std::string& text,
               const std::vector<std::string>& stops,
               const std::vector<std::size_t>& lengths) {
  TextStream stream(stops);
  std::string shown;
  std::size_t at = 0;
  for (std::size_t i = 0; at < text.size(); ++i) {
    const std::string piece = text.substr(at, lengths[i % lengths.size()]);
    at += piece.size();
    shown += stream.push(piece);
  }
  shown += stream.finish();
  return {shown, stream.stopped()};
}

// Byte by byte over the whole text: where does a stop string end first?
Shown reference(const std::string& text, const std::vector<std::string>& stops) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops)
      if (std::string_view(text).substr(0, end).ends_with(stop))
        longest = std::max(longest, stop.size());
    if (longest > 0) return {text.substr(0, end - longest), true};
  }
  return {text, false};
}

}  // namespace

TEST_CASE("stop strings are found however the text is cut into tokens", "[text_stream]") {
  const Rng rng(3, "text");
  const std::vector<std::vector<std::string>> stops = {
      {}, {"ab"}, {"aab"}, {"abab", "bb"}, {"aaa", "baab", "aabb"}, {"b", "ab"}, {"abcabcab"}};
  for (std::uint64_t n = 0; n < 300; ++n) {
    std::string text;
    for (std::uint64_t i = 0; i < 24; ++i) text += "abc"[rng.below(3, n, i)];
    for (const auto& some : stops) {
      INFO(text);
      const Shown expected = reference(text, some);
      for (const std::vector<std::size_t>& lengths :
           {std::vector<std::size_t>{1}, {24}, {2}, {3, 1, 0, 4}, {5, 7}})
        REQUIRE(streamed(text, some, lengths) == expected);
    }
  }
}

TEST_CASE("text is shown as soon as no stop string can begin in it", "[text_stream]") {
  TextStream stream({"\n\nUser:"});
  CHECK(stream.push("Hi") == "Hi");
  CHECK(stream.push("!\n") == "!");
  CHECK(stream.push("\n") == "");
  CHECK(stream.push("\nUs") == "\n");
  CHECK(stream.push("e") == "");
  CHECK(stream.push("d") == "\n\nUsed");
  CHECK(stream.push("\n\nUser: x") == "");
  CHECK(stream.stopped());
  CHECK(stream.push("more") == "");
  CHECK(stream.finish() == "");
}

TEST_CASE("characters come out whole and other bytes as U+FFFD", "[text_stream]") {
  const std::string mark = "\xEF\xBF\xBD";
  TextStream stream;
  CHECK(stream.push("a\xE2") == "a");
  CHECK(stream.push("\x82") == "");
  CHECK(stream.push("\xAC!") == "\xE2\x82\xAC!");
  CHECK(stream.push("\xF0\x9F\x98") == "");
  CHECK(stream.push("\x80\xC3") == "\xF0\x9F\x98\x80");
  CHECK(stream.push("x") == mark + "x");  // C3 was no beginning after all
  CHECK(stream.push("\x80\xFF") == mark + mark);
  CHECK(stream.push("\xED\xA0") == mark + mark);  // a surrogate: never a character
  CHECK(stream.push("\xF4\x8F\xBF") == "");
  CHECK(stream.finish() == mark + mark + mark);
}

TEST_CASE("a stop string may cut a character's bytes off", "[text_stream]") {
  TextStream stream({"."});
  CHECK(stream.push("a\xC3") == "a");
  CHECK(stream.push(".") == "\xEF\xBF\xBD");
  CHECK(stream.stopped());
  CHECK_THROWS_AS(TextStream({"a", ""}), UsageError);
}

}  // namespace bitlab
