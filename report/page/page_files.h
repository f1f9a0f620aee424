#pragma once
// The files of the report page, put into the program by embed.py when it is built.
#include <string_view>

namespace bitlab {

extern const std::string_view kPageTemplate, kIndexTemplate, kPageStyle, kCurvesScript, kPageScript;

// Of the npm package uplot; empty in a build that could not have it.
extern const std::string_view kUplotLicense, kUplotScript, kUplotStyle;

}  // namespace bitlab
