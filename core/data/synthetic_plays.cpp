#include "core/data/synthetic_plays.h"

#include <cctype>
#include <map>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/data/play_lexicon.h"

namespace bitlab {

namespace {

constexpr std::uint64_t kSeed = 1;

struct Weighted {
  std::string text;
  double weight;
};

struct Ending {
  std::string text;
  double weight;
  Grammar::Node next;
};
using Endings = std::map<char, std::vector<Ending>>;  // by the kind of the sentence

// Where sentences begin: a node, what stands before them there, and their share of that node.
struct Begin {
  Grammar::Node node;
  std::string before;
  double weight;
};

std::string in_text(
    std::string word) {  // "for-ever" is one word of the lexicon and two of the text
  bool phrase = false;
  for (const char* first : {"at-", "for-", "in-", "no-", "once-", "too-"})
    phrase = phrase || word.starts_with(first);
  if (phrase) word.replace(word.find('-'), 1, " ");
  return word;
}

std::string capitalised(std::string word) {
  word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  return word;
}

std::string upper(std::string word) {
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return word;
}

// The texts that a token stands for: itself, or the words of its class with what is around it. Word
// k of a class has a weight of 1 / (k + 20).
std::vector<Weighted> expand(const std::string& token) {
  const auto open = token.find('<'), close = token.find('>');
  if (open == std::string::npos) return {{token, 1.0}};
  std::string name = token.substr(open + 1, close - open - 1);
  const bool capital = std::isupper(static_cast<unsigned char>(name[0])) != 0;
  name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  const auto found = play_words().find(name);
  if (found == play_words().end()) throw Error("synthetic-plays", "no words for the class " + name);
  std::vector<Weighted> texts;
  double total = 0;
  for (const std::string& word : found->second) {
    const double weight = 1.0 / static_cast<double>(texts.size() + 20);
    const std::string shown = in_text(capital ? capitalised(word) : word);
    texts.push_back({token.substr(0, open) + shown + token.substr(close + 1), weight});
    total += weight;
  }
  for (Weighted& w : texts) w.weight /= total;
  return texts;
}

std::vector<std::string> tokens_of(const std::string& sentence) {
  std::vector<std::string> tokens{""};
  for (const char c : sentence) {
    if (c == ' ')
      tokens.emplace_back();
    else
      tokens.back() += c;
  }
  return tokens;
}

// Adds sentences to the grammar. Those that begin with the same tokens share their nodes.
class Sentences {
 public:
  Sentences(Grammar& grammar, Endings endings) : grammar_(grammar), endings_(std::move(endings)) {}

  void add(const std::vector<std::string>& sentences, const std::vector<Begin>& begins) {
    Tree tree;
    for (const std::string& sentence : sentences) {
      auto tokens = tokens_of(sentence);
      const double weight = std::stod(tokens.front());
      Tree* at = &tree;
      for (std::size_t i = 1; i < tokens.size(); ++i) {
        at->weight += weight;
        at = &at->children[tokens[i]];
      }
      at->weight += weight;
    }
    for (const Begin& begin : begins)
      for (auto& [token, child] : tree.children)
        add_token(begin.node, begin.before, token, child,
                  begin.weight * child.weight / tree.weight);
  }

 private:
  struct Tree {
    double weight = 0;
    std::map<std::string, Tree> children;
    Grammar::Node node = Grammar::kReturn;
  };

  void add_token(Grammar::Node from,
                 const std::string& before,
                 const std::string& token,
                 Tree& child,
                 double weight) {
    if (child.children.empty()) {
      const std::string body = token.substr(0, token.size() - 1);
      for (const Weighted& w : expand(body))
        for (const Ending& end : endings_.at(token.back()))
          grammar_.add(from, before + w.text + end.text, weight * w.weight * end.weight, end.next);
      return;
    }
    if (child.node == Grammar::kReturn) {
      child.node = grammar_.add_choice();
      for (auto& [next_token, next] : child.children)
        add_token(child.node, "", next_token, next, next.weight);
    }
    for (const Weighted& w : expand(token))
      grammar_.add(from, before + w.text + " ", weight * w.weight, child.node);
  }

  Grammar& grammar_;
  Endings endings_;
};

// A speech in verse, from the line break after the speaker's name to the empty line after the
// speech.
Grammar::Node add_verse(Grammar& g) {
  const Grammar::Node first = g.add_choice(), stop = g.add_choice(), comma = g.add_choice(),
                      semicolon = g.add_choice();
  const Endings endings = {
      {'~',
       {{",", 0.42, comma}, {";", 0.14, semicolon}, {":", 0.04, semicolon}, {".", 0.40, stop}}},
      {'?', {{"?", 1.0, stop}}},
      {'!', {{"!", 1.0, stop}}}};
  Sentences sentences(g, endings);
  sentences.add(verse_lines(), {{first, "\n", 1.0}, {stop, "\n", 0.65}, {semicolon, "\n", 1.0}});
  sentences.add(verse_continuations(), {{comma, "\n", 1.0}});
  g.add(stop, "\n\n", 0.35, Grammar::kReturn);
  return first;
}

// A speech in prose: sentences behind each other, now and then on a new line.
Grammar::Node add_prose(Grammar& g) {
  const Grammar::Node first = g.add_choice(), stop = g.add_choice();
  Sentences sentences(g, {{'~', {{".", 0.85, stop}, {"!", 0.15, stop}}},
                          {'?', {{"?", 1.0, stop}}},
                          {'!', {{"!", 1.0, stop}}}});
  sentences.add(prose_sentences(), {{first, "\n", 1.0}, {stop, " ", 0.5}, {stop, "\n", 0.2}});
  g.add(stop, "\n\n", 0.3, Grammar::kReturn);
  return first;
}

// Where the speaker's name has just been written, for each pair of speaker and hearer, and what may
// follow after the speech: the other answers, somebody enters, all leave.
class Dialogue {
 public:
  explicit Dialogue(Grammar& g) : g_(g), names_(play_words().at("name")) {
    const Grammar::Node verse = add_verse(g), prose = add_prose(g);
    const std::size_t n = names_.size();
    for (std::size_t pair = 0; pair < n * n; ++pair) {
      after_.push_back(pair / n == pair % n ? Grammar::kReturn : g.add_choice());
      const bool clown = pair / n % 4 == 3;
      speech_.push_back(pair / n == pair % n ? Grammar::kReturn
                                             : g.add_call(clown ? prose : verse, after_.back()));
    }
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b < n; ++b)
        if (a != b) add_after(a, b);
  }

  // Two enter and the first speaks.
  void add_entrance(Grammar::Node choice) {
    for (std::size_t a = 0; a < names_.size(); ++a)
      for (std::size_t b = 0; b < names_.size(); ++b)
        if (a != b)
          g_.add(choice,
                 "[Enter " + upper(names_[a]) + " and " + upper(names_[b]) + "]\n\n" + heading(a),
                 1.0 / static_cast<double>((a + 3) * (b + 3)), speech(a, b));
  }

 private:
  std::string heading(std::size_t a) const { return upper(names_[a]) + ":"; }
  Grammar::Node speech(std::size_t a, std::size_t b) const {
    return speech_[a * names_.size() + b];
  }

  void add_after(std::size_t a, std::size_t b) {
    const Grammar::Node node = after_[a * names_.size() + b];
    const std::string name = upper(names_[b]);
    g_.add(node, name + ":", 0.62, speech(b, a));
    g_.add(node, name + " [aside]:", 0.05, speech(b, a));
    g_.add(node, name + " [kneeling]:", 0.02, speech(b, a));
    g_.add(node, name + " [to " + upper(names_[a]) + "]:", 0.05, speech(b, a));
    g_.add(node, "[Exeunt]\n\n", 0.12, Grammar::kReturn);
    for (std::size_t c = 0; c < names_.size(); ++c) {
      if (c == a || c == b) continue;
      const std::string enter = "[Enter " + upper(names_[c]) + "]\n\n" + heading(c);
      const double share = 1.0 / static_cast<double>(names_.size() - 2);
      g_.add(node, enter, 0.06 * share, speech(c, b));
      g_.add(node, "[Exit " + upper(names_[a]) + "]\n\n" + enter, 0.08 * share, speech(c, b));
    }
  }

  Grammar& g_;
  const std::vector<std::string>& names_;
  std::vector<Grammar::Node> speech_, after_;  // by speaker * n + hearer
};

}  // namespace

Grammar play_grammar() {
  Grammar g;
  Dialogue dialogue(g);
  const Grammar::Node scene = g.add_choice(), town = g.add_choice(), entrance = g.add_choice();
  for (const char* where :
       {"A street", "A garden", "The palace", "A wood", "The market-place", "A field", "A prison",
        "The sea-shore", "A churchyard", "Before the gates"})
    g.add(scene, std::string("SCENE: ") + where + " of ", 1.0, town);
  for (const Weighted& w : expand("<place>")) g.add(town, w.text + ".\n\n", w.weight, entrance);
  dialogue.add_entrance(entrance);
  g.finish(scene);
  return g;
}

std::string synthetic_plays() {
  return play_grammar().generate(Rng(kSeed, "synthetic-plays"), kSyntheticPlaysBytes);
}

}  // namespace bitlab
