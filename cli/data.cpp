// bitlab data [list] | get NAME | path NAME | verify [NAME]
#include <iomanip>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "core/base/error.h"
#include "core/base/format_count.h"
#include "core/base/sha256.h"
#include "core/data/sources.h"
#include "core/data/tokenised_corpus.h"
#include "core/text/named_tokenizers.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kHelp =
    "bitlab data: the texts that experiments read\n\n"
    "  bitlab data [list]           all sources and tokenizers: bytes (of the text, of each "
    "file),\n"
    "                               licence, where each is now, where it comes from\n"
    "  bitlab data get NAME         fetch it if it is not here; print its path\n"
    "  bitlab data path NAME        print its path; never uses the network\n"
    "  bitlab data verify [NAME]    check the sha256 of one, or of all that are here and of all\n"
    "                               tokens in the cache\n\n"
    "BITLAB_CACHE is the folder that keeps what was fetched, BITLAB_MIRROR folders that are "
    "searched first.\n\n";

void show_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) std::cerr << "note: " << note << "\n";
}

// Whether there is a file to fetch or to check. One's own files have no hash.
bool has_files(const Source& source) { return !source.forms.empty() || !source.sha256.empty(); }

std::string shown(const std::vector<std::filesystem::path>& paths) {
  std::string text;
  for (const auto& path : paths) text += (text.empty() ? "" : ", ") + path.string();
  return text;
}

int print(const FetchedSource& fetched) {
  show_notes(fetched.notes);
  for (const auto& path : fetched.paths) std::cout << path.string() << "\n";
  return 0;
}

std::string place_of(const Source& source) {
  if (!has_files(source) && !source.generate) return "as its settings say";
  if (const auto here = find_local(source)) return shown(here->paths);
  return source.generate ? "built in" : "no";
}

// "13,175,278", or "-" where that is not known.
std::string size_text(std::uint64_t bytes) {
  return bytes > 0 ? format_count(static_cast<std::int64_t>(bytes)) : "-";
}

void list_row(const std::string& name,
              const std::string& bytes,
              const std::string& licence,
              const std::string& here) {
  std::cout << std::left << std::setw(17) << name << std::right << std::setw(14) << bytes << "  "
            << std::left << std::setw(17) << licence << here << "\n";
}

// One below the other, what can be downloaded; several addresses of a file are tried in order.
void list_files(const std::vector<RemoteFile>& files) {
  for (const RemoteFile& file : files)
    for (const std::string& url : file.urls) list_row("", size_text(file.bytes), "", url);
}

std::string here_text(const NamedTokenizer& named) {
  std::vector<std::filesystem::path> paths;
  for (const RemoteFile& file : named.files)
    if (const auto here = find_local(file)) paths.push_back(here->path);
  return paths.size() == named.files.size() ? shown(paths) : "no";
}

int list() {
  list_row("source", "bytes", "licence", "here");
  for (const std::string& name : data_sources().names()) {
    const Source& source = data_sources().at(name);
    list_row(source.name, size_text(source.bytes), source.licence, place_of(source));
    list_row("", "", "", source.description);
    for (const auto& form : source.forms) list_files(form);
  }
  std::cout << "\n";
  list_row("tokenizer", "bytes", "licence", "here");
  for (const NamedTokenizer& named : named_tokenizers()) {
    list_row(named.name, "", named.licence, here_text(named));
    list_row("", "", "", named.description);
    list_files(named.files);
  }
  return 0;
}

int get(const Source& source) { return print(fetch(source, ProgressLine())); }

int path(const Source& source) {
  const auto here = find_local(source);
  if (!here)
    throw Error(source.name, "must be in the cache or in a mirror, but is not",
                "bitlab data get " + source.name + " fetches it");
  return print(*here);
}
// What is in the cache instead of what should be; empty if nothing is.
std::string damaged(const Source& source) {
  for (const auto& form : source.forms)
    for (const RemoteFile& file : form)
      if (std::filesystem::exists(cached_path(file)))
        if (const std::string got = sha256_file(cached_path(file)); got != file.sha256)
          return cached_path(file).string() + " has sha256 " + got + " instead of " + file.sha256;
  return "";
}

// Whether a source is right, with a line about it. What is not here is wrong only if it was asked
// for by name.
bool verify(const Source& source, bool must_be_here) {
  const auto here = find_local(source);
  std::string verdict = "PASS", detail = damaged(source);
  if (here) {
    detail = shown(here->paths);
  } else if (!detail.empty()) {
    verdict = "FAIL";
  } else if (source.generate) {
    const std::string sha256 = sha256_hex(source.generate());
    if (sha256 != source.sha256) verdict = "FAIL";
    detail = "built in, sha256 " + sha256;
  } else {
    verdict = must_be_here ? "FAIL" : "absent";
    detail = "not in the cache nor in a mirror";
  }
  std::cout << std::left << std::setw(7) << verdict << std::setw(18) << source.name << detail
            << "\n";
  if (here) show_notes(here->notes);
  return verdict != "FAIL";
}

// Tokens that the cache keeps.
bool verify_folder(const std::filesystem::path& folder) {
  std::string reason;
  try {
    verify_tokens(folder);
  } catch (const Error& e) {
    reason = e.what();
  }
  std::cout << std::left << std::setw(7) << (reason.empty() ? "PASS" : "FAIL")
            << (reason.empty() ? folder.string() : reason) << "\n";
  return reason.empty();
}

// A source with a hash; a file of one's own has none to check.
Source named(const std::string& name) {
  Source source = find_source(name);
  if (!has_files(source))
    throw UsageError("bitlab data",
                     "NAME must be a source of `bitlab data list`, but got '" + name + "'");
  return source;
}

}  // namespace

int data_command(const std::vector<std::string>& given) {
  std::vector<std::string> args;
  po::options_description options("Options"), all;
  options.add_options()("help,h", "show this");
  all.add(options).add_options()("words", po::value(&args));
  if (parse_options("data", given, all, "words").count("help")) {
    std::cout << kHelp << options;
    return 0;
  }
  const std::string verb = args.empty() ? "list" : args[0];
  if (verb == "list" && args.size() <= 1) return list();
  if (verb == "get" && args.size() == 2) return get(named(args[1]));
  if (verb == "path" && args.size() == 2) return path(named(args[1]));
  if (verb == "verify" && args.size() == 2) return verify(named(args[1]), true) ? 0 : 1;
  if (verb == "verify" && args.size() == 1) {
    bool all_right = true;
    for (const std::string& name : data_sources().names())
      if (has_files(data_sources().at(name)))
        all_right = verify(data_sources().at(name), false) && all_right;
    for (const std::filesystem::path& folder : token_folders())
      all_right = verify_folder(folder) && all_right;
    return all_right ? 0 : 1;
  }
  throw UsageError("bitlab data", "must be followed by list, get NAME, path NAME or verify [NAME]",
                   "bitlab data --help says more");
}

}  // namespace bitlab
