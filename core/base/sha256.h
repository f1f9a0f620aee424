#pragma once
// SHA-256, by OpenSSL's EVP.
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace bitlab {

// Hashes what it is fed, piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  void update(std::string_view bytes);
  std::string hex();  // 64 lower-case digits; call once, at the end

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_hex(std::string_view bytes);

// Throws Error if the file cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace bitlab
