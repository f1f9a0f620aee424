#pragma once
// Names of the b1.58 family's parameters in Hugging Face's transformers.
#include <string>

namespace bitlab {

// "blocks.3.attn.wq.weight" -> "model.layers.3.self_attn.q_proj.weight". The norms inside of
// BitLinear are those of the block there. `architecture`: what the norms before o_proj and
// down_proj are called depends on it. Throws Error for a name that has no counterpart.
std::string hf_name(const std::string& ours, const std::string& architecture);

}  // namespace bitlab
