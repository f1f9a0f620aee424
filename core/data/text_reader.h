#pragma once
// The documents of one file, from front to back. Used by text_files.cpp.
#include <filesystem>
#include <functional>
#include <string_view>

namespace bitlab {

struct TextLine {
  std::string_view text;   // without its end, \n or \r\n
  std::size_t number = 1;  // the first is 1
  bool ended = true;       // false: the file ends here without a line break
};
void read_lines(const std::filesystem::path& path,
                const std::function<void(const TextLine& line)>& take);

// Calls part(text, ends_document) for the documents of a .txt: a line <|endoftext|> ends one, and
// so does the file. Lines end in \n. `most`: bytes of a part.
void read_text_documents(const std::filesystem::path& path,
                         const std::function<void(std::string_view text, bool ends_document)>& part,
                         std::size_t most = std::size_t{16} << 20);

}  // namespace bitlab
