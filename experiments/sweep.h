#pragma once
// The axes of a sweep and the points that it visits (docs/sweeps.md has the grammar).
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/config/resolve.h"

namespace bitlab {

// One swept setting: a list of values, or a stretch of numbers that a sampler draws from.
struct Axis {
  std::string path;  // "optim.lr"
  Setting setting;   // as it was written
  std::vector<Value> values;
  bool continuous = false, log = false;  // then no values, but numbers between `from` and `to`
  bool whole = false;                    // of a setting of integers: numbers are rounded
  double from = 0, to = 0;
};

// What follows `[sweep] path =`, or `path=` on the command line:
//   a list of values; a text such as 1e-3,3e-4 or 1..4 or lin(a,b)xN or log(a,b)xN or several of
//   these with commas between; lin(a,b) or log(a,b) alone is continuous
// Numbers of lin and log have 4 significant digits, except the two ends, which are exact. What is
// wrong becomes a problem.
Axis parse_axis(const std::string& path, const Setting& setting, Problems& problems);

// Whole numbers of a setting that has no others: values of lin and log are rounded.
void round_values(Axis& axis);

// Of the way from `from` to `to` of a spaced axis, t in [0, 1].
Value value_between(const Axis& axis, double t);

// Whether a value of the command line means several: a,b or 1..4 or lin(...) or [a, b].
bool names_several(const Value& value);

struct SweepOptions : Configurable {
  std::string sampler = "grid";   // grid: every combination; random, sobol: `samples` of them
  std::int64_t samples = 0;       // random and sobol only
  std::int64_t sampler_seed = 1;  // of random
  std::int64_t max_runs = 0;      // the first of the plan, 0 for all
  void fields(FieldVisitor& v) override;
};

// The values that the axes have at one point, in the order of the axes.
using SweepPoint = std::vector<Value>;

// Runs that are left out: those of the arms at the points where every axis named here has one of
// its values, with one of the seeds.
struct Exclusion {
  struct Condition {
    std::size_t axis = 0;  // of Sweep::axes
    std::vector<Value> values;
  };
  std::vector<Condition> conditions;
  std::vector<std::int64_t> seeds;  // empty: all
  std::vector<std::string> arms;    // of the file; empty: all
};

// Reads sweep.exclude: a list of texts like "model.d_model=112 seed=2..3" or "arm=full seed=3", of
// axes and the seed, each with values as parse_axis() takes them, and of some of the file's `arms`.
std::vector<Exclusion> parse_exclusions(const Value& list,
                                        const std::vector<Axis>& axes,
                                        const std::vector<std::string>& arms,
                                        Problems& problems);

struct Sweep {
  std::vector<Axis> axes;                        // in the order in which they were written
  std::vector<std::vector<std::size_t>> groups;  // axes that move together; each is in one group
  SweepOptions options;
  std::vector<Exclusion> exclusions;

  // Those of `seeds` that no exclusion takes from a point of an arm. `has`: which of the axes are
  // the arm's; what is said of the others is not said of it.
  std::vector<std::int64_t> seeds_at(const std::string& arm,
                                     const SweepPoint& point,
                                     const std::vector<bool>& has,
                                     const std::vector<std::int64_t>& seeds) const;

  // Without axes one point that sets nothing. Grid: the last group moves fastest. random: Philox,
  // keyed by the seed and the axis, so that more samples or another axis change no number that was
  // there; sobol: Boost.Random's, which leaves out the origin.
  std::vector<SweepPoint> points() const;
};

// Takes the sweep out of a request: [sweep] of the file, over it what the command line says of
// [sweep], over that the axes of the command line. A single value there replaces an axis. `fields`
// are those that the arms have by themselves, by path: lists, and what changes no result, are no
// axes on the command line. The seeds of the sweep become the setting `seeds`, and the axes of the
// command line are removed from it. `arms`: of the file.
Sweep take_sweep(LoadedConfig& config,
                 const std::map<std::string, FieldState>& fields,
                 const std::vector<std::string>& arms,
                 Problems& problems);

}  // namespace bitlab
