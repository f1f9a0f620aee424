#pragma once
// The words and sentences of the synthetic plays. Used by synthetic_plays.cpp.
#include <map>
#include <string>
#include <vector>

namespace bitlab {

// Words by class; earlier ones are more frequent.
const std::map<std::string, std::vector<std::string>>& play_words();

// Sentences as space-separated tokens with one <class> each at most. The last token ends in the
// kind of the sentence: ~ statement, ? question, ! exclamation. A number in front is a weight.
const std::vector<std::string>& verse_lines();          // begin a sentence
const std::vector<std::string>& verse_continuations();  // after a comma
const std::vector<std::string>& prose_sentences();

}  // namespace bitlab
