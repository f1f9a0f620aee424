#include "core/text/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace bitlab {

namespace {

constexpr const char* kWhere = "pre-tokenizer";

// Unicode's White_Space. PCRE2's \s has U+180E as well.
constexpr const char* kSpaces =
    R"(\x{9}-\x{D} \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

// \s and \S spelt out. \S within [...] cannot be, and no model has it.
std::string spelt_out(const std::string& pattern) {
  std::string result;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char escaped = pattern[++i];
      if (escaped == 's') {
        result += in_class ? kSpaces : "[" + std::string(kSpaces) + "]";
      } else if (escaped == 'S' && !in_class) {
        result += "[^" + std::string(kSpaces) + "]";
      } else if (escaped == 'S') {
        throw Error(kWhere, "\\S must not stand within [...], but does: " + pattern);
      } else {
        result += {c, escaped};
      }
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    result += c;
  }
  return result;
}

// Where the UTF-8 that begins at text[at] ends.
std::size_t end_of_utf8(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const bool ascii = static_cast<unsigned char>(text[at]) < 0x80;
    const std::size_t length = ascii ? 1 : utf8_length(text, at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

const char* const kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char* const kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct PreTokenizer::Code {
  pcre2_code* code = nullptr;
  bool jit = false;
  ~Code() { pcre2_code_free(code); }
};

PreTokenizer::PreTokenizer(std::string pattern)
    : pattern_(std::move(pattern)), code_(std::make_unique<Code>()) {
  const std::string full = spelt_out(pattern_);
  int error = 0;
  std::size_t offset = 0;
  code_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(full.data()), full.size(),
                              PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  if (code_->code == nullptr)
    throw Error(kWhere, "the pattern must be a regular expression, but " + message_of(error) +
                            " in " + full);
  code_->jit = pcre2_jit_compile(code_->code, PCRE2_JIT_COMPLETE) == 0;
}

PreTokenizer::~PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;

struct PreTokenizer::Pieces::Match {
  pcre2_match_data* data;
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = nullptr;  // null: what the library has, 32 KiB; enough for most texts

  explicit Match(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)) {}
  void use_large_stack() {
    stack = pcre2_jit_stack_create(std::size_t{1} << 20, std::size_t{1} << 26, nullptr);
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Match() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
};

PreTokenizer::Pieces::Pieces(const PreTokenizer& pre, std::string_view text)
    : pre_(pre), text_(text), match_(std::make_unique<Match>(pre.code_->code)) {}

PreTokenizer::Pieces::~Pieces() = default;

std::string_view PreTokenizer::Pieces::take(std::size_t end) {
  const std::size_t begin = at_;
  at_ = end;
  return text_.substr(begin, end - begin);
}

std::string_view PreTokenizer::Pieces::next() {
  if (at_ == text_.size()) return {};
  if (at_ >= run_end_) {
    run_begin_ = match_end_ = at_;
    run_end_ = end_of_utf8(text_, at_);
    if (run_end_ == at_) return take(at_ + 1);  // not UTF-8
  }
  if (at_ == match_end_) find_match();
  return take(at_ < match_begin_ ? match_begin_ : match_end_);
}

// The next match that is not empty, in [at_, run_end_); at its end if there is none.
void PreTokenizer::Pieces::find_match() {
  const auto* run = reinterpret_cast<PCRE2_SPTR>(text_.data() + run_begin_);
  const pcre2_code* code = pre_.code_->code;
  const std::size_t length = run_end_ - run_begin_, from = at_ - run_begin_;
  // The run was checked. pcre2_jit_match() leaves out what pcre2_match() does around it.
  const std::uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
  const auto match = [&] {
    return pre_.code_->jit
               ? pcre2_jit_match(code, run, length, from, options, match_->data, match_->context)
               : pcre2_match(code, run, length, from, options, match_->data, match_->context);
  };
  int found = match();
  if (found == PCRE2_ERROR_JIT_STACKLIMIT && match_->stack == nullptr) {
    match_->use_large_stack();
    found = match();
  }
  if (found < 0 && found != PCRE2_ERROR_NOMATCH)
    throw Error(kWhere, "the text must be matched, but " + message_of(found) + " at byte " +
                            std::to_string(at_));
  const std::size_t* place = pcre2_get_ovector_pointer(match_->data);
  match_begin_ = found < 0 ? run_end_ : run_begin_ + place[0];
  match_end_ = found < 0 ? run_end_ : run_begin_ + place[1];
}

}  // namespace bitlab
