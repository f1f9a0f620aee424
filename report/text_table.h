#pragma once
// Tables of text cells, and how Markdown, LaTeX and CSV want them.
#include <string>
#include <vector>

namespace bitlab {

struct TextTable {
  struct Head {
    std::string text;
    bool left = false;  // aligned; numbers stand to the right
  };
  std::vector<Head> heads;
  std::vector<std::vector<std::string>> rows;  // as many cells as heads
};

std::string markdown_text(const TextTable& table);  // cells are escaped, columns aligned
std::string tex_text(const TextTable& table);       // a tabular; cells are escaped
std::string plain_text(const TextTable& table);     // aligned columns two spaces apart

// Text that stands for itself in a LaTeX document, in a Markdown table cell, in a CSV field.
std::string escape_tex(const std::string& text);
std::string escape_markdown(const std::string& text);
std::string escape_csv(const std::string& text);

}  // namespace bitlab
