#include "cli/options.h"

#include "core/base/error.h"
#include "core/config/suggest.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

using Look = std::function<void(const po::options_description&)>;

const Look* looking = nullptr;  // set while somebody only wants to see the options

struct Seen {};  // leaves a verb that was called for its options alone

// "did you mean '--sort'? ", or nothing if no option is near.
std::string meant(const std::string& option, const po::options_description& all) {
  std::vector<std::string> names;
  for (const auto& one : all.options())
    if (one->format_name().starts_with("-")) names.push_back("--" + one->long_name());
  const std::string guess = nearest(option, names);
  return guess.empty() ? "" : "did you mean '" + guess + "'? ";
}

// Boost reads "-1" as the largest number there is.
void refuse_negative_counts(const std::string& verb,
                            const po::parsed_options& given,
                            const po::options_description& all) {
  for (const po::option& option : given.options) {
    const po::option_description* known = all.find_nothrow(option.string_key, /*approx=*/false);
    if (known == nullptr || option.value.empty() || !option.value.front().starts_with("-"))
      continue;
    if (dynamic_cast<const po::typed_value<std::size_t>*>(known->semantic().get()) != nullptr)
      throw UsageError("bitlab " + verb, "--" + known->long_name() +
                                             " must be a whole number that is not negative, but "
                                             "got " +
                                             option.value.front());
  }
}

}  // namespace

void look_at_options(const std::function<void()>& verb, const Look& see) {
  looking = &see;
  try {
    verb();
  } catch (const Seen&) {
  } catch (...) {
    looking = nullptr;
    throw;
  }
  looking = nullptr;
}

po::variables_map parse_options(const std::string& verb,
                                const std::vector<std::string>& args,
                                const po::options_description& all,
                                const std::string& rest) {
  if (looking) {
    (*looking)(all);
    throw Seen();
  }
  po::positional_options_description positions;
  if (!rest.empty()) positions.add(rest.c_str(), -1);
  po::variables_map parsed;
  try {
    // No guessing: "--thread" is a mistake and not "--threads".
    const int style =
        po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    const po::parsed_options given =
        po::command_line_parser(args).options(all).positional(positions).style(style).run();
    refuse_negative_counts(verb, given, all);
    po::store(given, parsed);
    po::notify(parsed);
  } catch (const po::unknown_option& e) {
    throw UsageError("bitlab " + verb, e.what(),
                     meant(e.get_option_name(), all) + "see bitlab " + verb + " --help");
  } catch (const po::error& e) {
    throw UsageError("bitlab " + verb, e.what(), "see bitlab " + verb + " --help");
  }
  return parsed;
}

}  // namespace bitlab
