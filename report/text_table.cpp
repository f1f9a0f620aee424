#include "report/text_table.h"

#include <algorithm>
#include <cstddef>

#include "report/labels.h"

namespace bitlab {

namespace {

std::string padded(const std::string& text, std::size_t to, bool left) {
  const std::string space(to - std::min(to, count_characters(text)), ' ');
  return left ? text + space : space + text;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::vector<std::size_t> widths_of(const TextTable& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.heads.size(); ++c) {
    widths.push_back(count_characters(table.heads[c].text));
    for (const auto& row : table.rows) widths[c] = std::max(widths[c], count_characters(row[c]));
  }
  return widths;
}

TextTable escaped(TextTable table, std::string (*escape)(const std::string&)) {
  for (TextTable::Head& head : table.heads) head.text = escape(head.text);
  for (auto& row : table.rows)
    for (std::string& cell : row) cell = escape(cell);
  return table;
}

std::vector<std::string> head_cells(const TextTable& table) {
  std::vector<std::string> cells;
  for (const TextTable::Head& head : table.heads) cells.push_back(head.text);
  return cells;
}

std::string one_line(const std::string& text) {
  std::string out = text;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return out;
}

}  // namespace

std::string markdown_text(const TextTable& raw) {
  const TextTable table = escaped(raw, escape_markdown);
  const std::vector<std::size_t> widths = widths_of(table);
  std::string out;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    for (std::size_t c = 0; c < cells.size(); ++c)
      out += "| " + padded(cells[c], widths[c], table.heads[c].left) + " ";
    out += "|\n";
  };
  add_line(head_cells(table));
  for (std::size_t c = 0; c < widths.size(); ++c)
    out += table.heads[c].left ? "|" + std::string(widths[c] + 2, '-')
                               : "|" + std::string(widths[c] + 1, '-') + ":";
  out += "|\n";
  for (const auto& row : table.rows) add_line(row);
  return out;
}

std::string tex_text(const TextTable& raw) {
  const TextTable table = escaped(raw, escape_tex);
  std::string out = "\\begin{tabular}{";
  for (const TextTable::Head& head : table.heads) out += head.left ? 'l' : 'r';
  out += "}\n\\hline\n";
  const auto add_line = [&out](const std::vector<std::string>& cells) {
    for (std::size_t c = 0; c < cells.size(); ++c) out += (c > 0 ? " & " : "") + cells[c];
    out += " \\\\\n";
  };
  add_line(head_cells(table));
  out += "\\hline\n";
  for (const auto& row : table.rows) add_line(row);
  return out + "\\hline\n\\end{tabular}\n";
}

std::string plain_text(const TextTable& raw) {
  const TextTable table = escaped(raw, one_line);
  const std::vector<std::size_t> widths = widths_of(table);
  std::string out;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c)
      line += (c > 0 ? "  " : "") + padded(cells[c], widths[c], table.heads[c].left);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  add_line(head_cells(table));
  for (const auto& row : table.rows) add_line(row);
  return out;
}

std::string escape_markdown(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (std::string("\\|*`<").find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string escape_tex(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '<':
        out += "\\textless{}";
        break;
      case '>':
        out += "\\textgreater{}";
        break;
      case '|':
        out += "\\textbar{}";
        break;
      case '\n':
      case '\r':
        out += ' ';
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return replace_all(replace_all(out, "±", "$\\pm$"), "–", "--");
}

std::string escape_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace bitlab
