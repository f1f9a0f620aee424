#pragma once
// What a scaling study says, in words and as a table.
#include <string>

#include "report/results.h"
#include "report/scaling_laws.h"
#include "report/text_table.h"

namespace bitlab {

// Each arm's law, the measured gaps and their trend, and the gap at the sizes of the published
// models with what stands in the way of believing it. Each line ends with a newline.
std::string scaling_verdict(const Results& results, const ScalingStudy& study);

// One row a size of published_models(): each arm's extrapolated loss and gap with intervals; if the
// only gap is one of ternary weights against full precision, also the published gaps. Gaps in
// percent of the loss can be held against each other across data and units, nats cannot.
TextTable scaling_table(const ScalingStudy& study);

// What the columns of that table are; one paragraph.
extern const char* const kScalingNote;

}  // namespace bitlab
