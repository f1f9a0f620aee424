#pragma once
// A corpus that needs no network: plays that a probabilistic grammar makes up. What an ideal model
// loses on it is known exactly, so that curves on it have a floor.
#include <cstddef>
#include <string>

#include "core/data/grammar.h"

namespace bitlab {

inline constexpr std::size_t kSyntheticPlaysBytes = 1'100'000;

// Scenes of two who speak in turn: verse by line templates for nobles, prose for clowns, stage
// directions.
Grammar play_grammar();

// The corpus: the first kSyntheticPlaysBytes bytes under a fixed seed.
std::string synthetic_plays();

}  // namespace bitlab
