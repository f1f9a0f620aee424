#include "core/data/text_reader.h"

#include <string>

#include "core/io/packed_files.h"

namespace bitlab {

namespace {

constexpr std::string_view kEnd = "<|endoftext|>";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Where a text may be cut so that the tokens of both sides are those of the whole: between a letter
// and a line break; else before a character.
std::size_t cut_of(std::string_view text) {
  for (std::size_t at = text.size() - 1; at > 0; --at)
    if (text[at] == '\n' && is_letter(text[at - 1])) return at;
  std::size_t at = text.size() - 1;
  while (at > 1 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

}  // namespace

void read_lines(const std::filesystem::path& path,
                const std::function<void(const TextLine& line)>& take) {
  std::string rest;
  std::size_t number = 0;
  const auto hand_out = [&](std::string_view text, bool ended) {
    if (ended && text.ends_with('\r')) text.remove_suffix(1);
    take({text, ++number, ended});
  };
  read_blocks(path, [&](std::string_view block) {
    for (std::size_t end; (end = block.find('\n')) != std::string_view::npos;) {
      if (rest.empty()) {
        hand_out(block.substr(0, end), true);
      } else {
        rest += block.substr(0, end);
        hand_out(rest, true);
        rest.clear();
      }
      block.remove_prefix(end + 1);
    }
    rest += block;
  });
  if (!rest.empty()) hand_out(rest, false);
}

void read_text_documents(const std::filesystem::path& path,
                         const std::function<void(std::string_view text, bool ends_document)>& part,
                         std::size_t most) {
  std::string text;        // of the current document, what was not handed out
  bool handed = false;     // a part of it was
  bool separated = false;  // a separator came: line breaks beside one do not count
  const auto end_document = [&] {
    while (separated && text.ends_with('\n')) text.pop_back();
    if (!text.empty() || handed) part(text, true);
    text.clear();
    handed = false;
  };
  read_lines(path, [&](const TextLine& line) {
    if (line.text == kEnd) {
      separated = true;
      return end_document();
    }
    if (separated && line.text.empty() && text.empty() && !handed) return;
    text += line.text;
    if (line.ended) text += '\n';
    if (text.size() < most) return;
    const std::size_t cut = cut_of(text);
    part(std::string_view(text).substr(0, cut), false);
    text.erase(0, cut);
    handed = true;
  });
  end_document();
}

}  // namespace bitlab
