#pragma once
// Proof that a trained model is ternary, and that nothing is lost when it is packed.
#include <filesystem>
#include <string>
#include <vector>

namespace bitlab {

struct LayerProof {
  std::string name;        // of the latent parameter
  std::size_t values = 0;  // different effective weights
  double scale = 0;
  bool three_values = false;  // effective weights are in {-a, 0, a}
  bool requantises = false;   // quantising the effective weights gives the same codes
  bool packs =
      false;  // 2-bit packing and unpacking gives the codes, and packed.safetensors holds them

  bool passed() const { return three_values && requantises && packs; }
};

struct Proof {
  std::vector<LayerProof> layers;
  // Nats a token: of the checkpoint, and of packed.safetensors. On the validation split; of an
  // imported model, which has none, on random tokens.
  double loss = 0, packed_loss = 0;
  bool random_tokens = false;

  bool passed() const;
};

// Checks a finished run. Throws UsageError if its model has no ternary layers, Error if it is not
// finished.
Proof verify_run(const std::filesystem::path& run_dir, std::size_t threads);

}  // namespace bitlab
