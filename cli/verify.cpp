// bitlab verify RUN: are the weights ternary, and does packing lose nothing?
#include "experiments/verify.h"

#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/launcher.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

void print(const Proof& proof) {
  const auto yes = [](bool holds) { return holds ? "yes" : "NO"; };
  std::printf("%-32s %8s %12s %10s %11s %6s\n", "layer", "values", "scale", "in +-a, 0",
              "requantise", "pack");
  for (const LayerProof& l : proof.layers)
    std::printf("%-32s %8zu %12.6g %10s %11s %6s  %s\n", l.name.c_str(), l.values, l.scale,
                yes(l.three_values), yes(l.requantises), yes(l.packs),
                l.passed() ? "PASS" : "FAIL");
  const bool equal = proof.loss == proof.packed_loss;
  std::printf("%s: %.9f, from packed.safetensors %.9f  %s\n",
              proof.random_tokens ? "loss on random tokens" : "validation loss", proof.loss,
              proof.packed_loss, equal ? "PASS" : "FAIL");
  std::printf("%s\n", proof.passed() ? "PASS" : "FAIL");
}

}  // namespace

int verify_command(const std::vector<std::string>& args) {
  std::vector<std::string> runs;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  po::options_description all = options;
  all.add_options()("run", po::value(&runs));
  if (parse_options("verify", args, all, "run").count("help")) {
    std::cout << "usage: bitlab verify RUN\n\n"
              << kRunHelp
              << "\nFor every ternary layer: the weights that forward multiplies by take at most "
                 "the values -a, 0, a;\n"
                 "quantising them again gives the same codes; 2-bit packing gives the codes back. "
                 "For the model: the\n"
                 "validation loss from packed.safetensors equals that of the checkpoint (of an "
                 "imported model, the loss\non random tokens). Exit code 1 if any fails.\n";
    return 0;
  }
  if (runs.size() != 1)
    throw UsageError("bitlab verify", "must be given one run", "bitlab verify --help");
  const Proof proof = verify_run(find_run(runs.front()), available_cores());
  print(proof);
  return proof.passed() ? 0 : 1;
}

}  // namespace bitlab
