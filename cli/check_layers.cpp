// bitlab-check-layers PLUGIN.so ...: the gradient check, a program of its own since all of it is
// compiled in double precision. Started by `bitlab check --layers`.
#include <cstdio>
#include <exception>

#include "core/base/error.h"
#include "experiments/plugin_loader.h"
#include "layers/layer_check.h"

int main(int argc, char** argv) {
  using bitlab::LayerCheck;
  try {
    for (int i = 1; i < argc; ++i) bitlab::load_plugin(argv[i]);
    std::size_t wrong = 0, right = 0;
    for (const LayerCheck& check : bitlab::check_layers()) {
      const char* verdict = "right  ";
      if (check.outcome == LayerCheck::Outcome::Wrong) {
        verdict = "WRONG  ";
        ++wrong;
      } else if (check.outcome == LayerCheck::Outcome::NotCompared) {
        verdict = "-      ";
      } else {
        ++right;
      }
      std::printf("%s %s %s: %s\n", verdict, check.kind.c_str(), check.name.c_str(),
                  check.detail.c_str());
    }
    std::printf("%zu layers and quantisers are right, %zu wrong\n", right, wrong);
    return wrong == 0 ? 0 : 1;
  } catch (const bitlab::UsageError& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
