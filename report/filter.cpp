#include "report/filter.h"

#include <charconv>
#include <memory>
#include <optional>
#include <regex>
#include <utility>

#include "core/base/error.h"
#include "report/labels.h"
#include "report/run_values.h"

namespace bitlab {

const char* const kFilterHelp =
    "FILTER is like \"val_loss<2 and arm=bit\": KEY = != < <= > >= VALUE, or KEY ~ REGEX (found\n"
    "anywhere, upper and lower case alike), joined by and, or, not and parentheses.\n";

namespace {

struct Token {
  enum class Kind { Word, Quoted, Operator, Open, Close, End };
  Kind kind = Kind::End;
  std::string text;
  std::size_t at = 0, length = 1;  // bytes
};

// Throws with the filter and a marker under the place.
[[noreturn]] void refuse(const std::string& filter,
                         const Token& token,
                         const std::string& what,
                         const std::string& hint = "") {
  const std::size_t indent = count_characters(filter.substr(0, token.at));
  const std::size_t width = count_characters(filter.substr(token.at, token.length));
  throw UsageError("filter",
                   what + "\n  " + filter + "\n  " + std::string(indent, ' ') +
                       std::string(std::max<std::size_t>(width, 1), '^'),
                   hint);
}

bool in_word(char c) {
  static const std::string kOthers = " \t\n()=!<>~\"'&|";
  return kOthers.find(c) == std::string::npos;
}

std::string shown(const Token& token) {
  return token.kind == Token::Kind::End ? "the filter ends here" : "got '" + token.text + "'";
}

class Scanner {
 public:
  explicit Scanner(const std::string& text) : text_(text) {}

  std::vector<Token> tokens() {
    std::vector<Token> all;
    do all.push_back(next());
    while (all.back().kind != Token::Kind::End);
    return all;
  }

 private:
  Token next() {
    at_ = std::min(text_.find_first_not_of(" \t\n", at_), text_.size());
    if (at_ == text_.size()) return {Token::Kind::End, "", at_, 1};
    const char c = text_[at_];
    if (c == '(') return take(Token::Kind::Open, 1);
    if (c == ')') return take(Token::Kind::Close, 1);
    if (c == '"' || c == '\'') return quoted(c);
    if (in_word(c)) {
      std::size_t end = at_;
      while (end < text_.size() && in_word(text_[end])) ++end;
      return take(Token::Kind::Word, end - at_);
    }
    for (const char* sign : {"!=", "<=", ">="})
      if (text_.compare(at_, 2, sign) == 0) return take(Token::Kind::Operator, 2);
    for (const auto& [foreign, ours] :
         {std::pair{"==", "="}, {"&&", "and"}, {"||", "or"}, {"!", "not"}})
      if (text_.compare(at_, std::string(foreign).size(), foreign) == 0)
        refuse(text_, {Token::Kind::Operator, foreign, at_, std::string(foreign).size()},
               std::string("'") + foreign + "' must be written '" + ours + "'");
    if (std::string("=<>~").find(c) == std::string::npos)
      refuse(text_, {Token::Kind::Operator, "", at_, 1},
             std::string("'") + c + "' must stand in quotes");
    return take(Token::Kind::Operator, 1);
  }

  Token take(Token::Kind kind, std::size_t length) {
    Token token{kind, text_.substr(at_, length), at_, length};
    at_ += length;
    return token;
  }

  Token quoted(char quote) {
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string::npos)
      refuse(text_, {Token::Kind::Quoted, "", at_, text_.size() - at_}, "the quote must be closed");
    Token token = take(Token::Kind::Quoted, end - at_ + 1);
    token.text = token.text.substr(1, token.text.size() - 2);
    return token;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

std::optional<double> as_number(const std::string& word) {
  double x = 0;
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, x);
  return read.ec == std::errc() && read.ptr == end ? std::optional(x) : std::nullopt;
}

// The three ways in which a value can lie to another; none if they cannot be compared.
enum class Order { Less, Equal, Greater, None };

template <class Value>
Order order_of(const Value& a, const Value& b) {
  return a < b ? Order::Less : a == b ? Order::Equal : a > b ? Order::Greater : Order::None;
}

struct Comparison {
  std::string sign;  // of the grammar, except "~"
  std::string word;
  std::optional<double> number;  // the word as one

  Order order(const RunValue& value) const {
    if (const double* x = std::get_if<double>(&value))
      return number ? order_of(*x, *number) : Order::None;
    const std::string* text = std::get_if<std::string>(&value);
    return text == nullptr ? Order::None : order_of(*text, word);
  }

  bool holds(const RunValue& value) const {
    const Order is = order(value);
    if (sign == "!=") return is != Order::Equal;
    if (is == Order::None) return false;
    if (sign == "=") return is == Order::Equal;
    if (is == Order::Equal) return sign == "<=" || sign == ">=";
    return (is == Order::Less) == sign.starts_with('<');
  }
};

class Parser {
 public:
  Parser(const std::string& text, const std::vector<RunRecord>& runs)
      : text_(text), runs_(runs), keys_(runs), tokens_(Scanner(text).tokens()) {}

  RunFilter parse() {
    RunFilter all = disjunction();
    const Token& rest = tokens_[at_];
    if (rest.kind == Token::Kind::Close) refuse(text_, rest, "there is no '(' to this ')'");
    if (rest.kind != Token::Kind::End)
      refuse(text_, rest, "must go on with 'and' or 'or', but " + shown(rest),
             rest.kind == Token::Kind::Word ? "put values with spaces in quotes" : "");
    return all;
  }

 private:
  bool skip(const char* word) {
    if (tokens_[at_].kind != Token::Kind::Word || tokens_[at_].text != word) return false;
    ++at_;
    return true;
  }

  RunFilter disjunction() {
    RunFilter left = conjunction();
    while (skip("or"))
      left = [left, right = conjunction()](const RunRecord& r) { return left(r) || right(r); };
    return left;
  }

  RunFilter conjunction() {
    RunFilter left = term();
    while (skip("and"))
      left = [left, right = term()](const RunRecord& r) { return left(r) && right(r); };
    return left;
  }

  RunFilter term() {
    if (skip("not")) return [inner = term()](const RunRecord& r) { return !inner(r); };
    if (tokens_[at_].kind != Token::Kind::Open) return comparison();
    const Token open = tokens_[at_++];
    RunFilter inner = disjunction();
    if (tokens_[at_].kind != Token::Kind::Close) refuse(text_, open, "there is no ')' to this '('");
    ++at_;
    return inner;
  }

  RunFilter comparison() {
    const Token name = tokens_[at_];
    if (name.kind != Token::Kind::Word)
      refuse(text_, name, "a key must stand here, but " + shown(name));
    const std::string key = resolved(name);
    const Token sign = tokens_[++at_];
    if (sign.kind != Token::Kind::Operator)
      refuse(text_, sign, "one of = != < <= > >= ~ must follow a key, but " + shown(sign));
    const Token value = tokens_[++at_];
    if (value.kind != Token::Kind::Word && value.kind != Token::Kind::Quoted)
      refuse(text_, value, "a value must stand here, but " + shown(value));
    ++at_;
    if (sign.text == "~") return search(key, value);
    const Comparison compare{sign.text, value.text, as_number(value.text)};
    if (!compare.number && only_numbers(key))
      refuse(text_, value, key + " must be compared with a number, but got '" + value.text + "'");
    if (key == "arm") return compare_arm(compare);
    return [key, compare](const RunRecord& r) { return compare.holds(value_of(r, key)); };
  }

  static RunFilter compare_arm(const Comparison& compare) {
    return [compare](const RunRecord& r) {
      const bool base = compare.holds(r.base), whole = compare.holds(r.arm);
      return compare.sign == "!=" ? base && whole : base || whole;
    };
  }

  RunFilter search(const std::string& key, const Token& value) const {
    try {
      const auto pattern =
          std::make_shared<std::regex>(value.text, std::regex::ECMAScript | std::regex::icase);
      return [key, pattern](const RunRecord& r) {
        if (key == "arm") return std::regex_search(r.arm, *pattern);
        return std::regex_search(to_text(value_of(r, key)), *pattern);
      };
    } catch (const std::regex_error&) {
      refuse(text_, value, "must be a regular expression, but got '" + value.text + "'");
    }
  }

  std::string resolved(const Token& name) const {
    try {
      return keys_.resolve(name.text, "filter");
    } catch (const UsageError& e) {
      const std::string what = e.what();  // "[filter] what; hint"
      const std::size_t hint = what.find("; ");
      refuse(text_, name, what.substr(9, hint - 9),
             hint == std::string::npos ? "" : what.substr(hint + 2));
    }
  }

  // Whether a word would be a mistake: of a metric, or where some run has a number and none text.
  bool only_numbers(const std::string& key) const {
    bool any = is_metric(key);
    for (const RunRecord& run : runs_) {
      const RunValue value = value_of(run, key);
      if (std::holds_alternative<std::string>(value)) return false;
      any |= has_value(value);
    }
    return any;
  }

  const std::string& text_;
  const std::vector<RunRecord>& runs_;
  RunKeys keys_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace

RunFilter parse_filter(const std::string& text, const std::vector<RunRecord>& runs) {
  if (text.find_first_not_of(" \t\n") == std::string::npos)
    return [](const RunRecord&) { return true; };
  return Parser(text, runs).parse();
}

std::vector<RunRecord> filtered(std::vector<RunRecord> runs, const std::string& filter) {
  const RunFilter takes = parse_filter(filter, runs);
  std::erase_if(runs, [&](const RunRecord& run) { return !takes(run); });
  return runs;
}

}  // namespace bitlab
