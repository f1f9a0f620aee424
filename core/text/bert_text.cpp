#include "core/text/bert_text.h"

#include <utf8proc.h>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace bitlab {

namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

AsciiTable make_ascii() {
  AsciiTable table{};
  for (int c = 0; c < 128; ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    table.lower[c] = static_cast<char>(upper ? c + 32 : c);
    table.kind[c] = word                                              ? BertKind::kLetter
                    : c == ' ' || c == '\t' || c == '\n' || c == '\r' ? BertKind::kSpace
                    : c > ' ' && c < 127                              ? BertKind::kSymbol
                                                                      : BertKind::kNone;
  }
  return table;
}

// CJK Unified Ideographs and their extensions, as BERT's tokenizer lists them.
bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// Before decomposition: what is left out.
bool is_control(char32_t c) {
  if (c == 0xFFFD) return true;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CO;
}

// After decomposition: kNone for nonspacing marks.
BertKind kind_of(char32_t c) {
  if (c < 0x80) return bert_ascii().kind[c];
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_MN:
      return BertKind::kNone;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return BertKind::kSpace;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return BertKind::kSymbol;
    default:
      return BertKind::kLetter;
  }
}

// The clean run, with spaces around Chinese characters. It ends before the first ASCII character
// that is not left out: marks do not move across that one.
void clean_run(std::string_view text, std::size_t& at, std::string& clean) {
  clean.clear();
  while (at < text.size()) {
    if (is_ascii(text[at])) {
      if (bert_ascii().kind[static_cast<int>(text[at])] != BertKind::kNone) return;
      ++at;
      continue;
    }
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    const char32_t code = utf8_code_point(text, at, length);
    const std::string_view character = text.substr(at, length);
    at += length;
    if (is_chinese(code))
      clean.append(" ").append(character).append(" ");
    else if (!is_control(code))
      clean += character;
  }
}

}  // namespace

const AsciiTable& bert_ascii() {
  static const AsciiTable kTable = make_ascii();
  return kTable;
}

const std::vector<BertRun::Character>& BertRun::read(std::string_view text, std::size_t& at) {
  clean_run(text, at, clean_);
  const auto decompose = [&] {
    return utf8proc_decompose(reinterpret_cast<const utf8proc_uint8_t*>(clean_.data()),
                              static_cast<utf8proc_ssize_t>(clean_.size()), decomposed_.data(),
                              static_cast<utf8proc_ssize_t>(decomposed_.size()),
                              UTF8PROC_DECOMPOSE);
  };
  auto count = decompose();
  if (count > static_cast<utf8proc_ssize_t>(decomposed_.size())) {
    decomposed_.resize(2 * static_cast<std::size_t>(count));
    count = decompose();
  }
  if (count < 0) throw Error("wordpiece", std::string("NFD: ") + utf8proc_errmsg(count));
  characters_.clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const auto code = static_cast<char32_t>(utf8proc_tolower(decomposed_[i]));
    const BertKind kind = kind_of(code);
    if (kind != BertKind::kNone) characters_.push_back({code, kind});
  }
  return characters_;
}

}  // namespace bitlab
