#pragma once
// Text that is safe inside an HTML page, whatever a config put into it.
#include <map>
#include <string>
#include <string_view>

namespace bitlab {

// `text` as it is read, in an element or in a quoted attribute.
std::string escape_html(std::string_view text);

// As a part of a URL's path.
std::string percent_encoded(std::string_view text);

std::string base64(std::string_view bytes);

// "sha256-..." of an inline script, as a Content-Security-Policy names it.
std::string script_hash(std::string_view script);

// Replaces each {{name}} of `text` by values.at(name), once: what is put in is not looked at again.
// Throws Error for a name that has no value.
std::string fill_template(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace bitlab
