#pragma once
// One-dimensional arrays of unsigned integers as NumPy keeps them (numpy.lib.format, version 1.0),
// written from front to back.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace bitlab {

// Makes a .npy of little-endian uint16 or uint32. It is complete once finish() has returned.
class NpyWriter {
 public:
  // width: 2 or 4 bytes. Throws Error if the file cannot be made.
  NpyWriter(const std::filesystem::path& path, int width);
  // Values must fit in the width. Throws Error if the disk is full.
  void append(const std::int32_t* values, std::size_t count);
  std::size_t count() const { return count_; }
  // Writes the header and forces all to disk. Throws Error.
  void finish();

 private:
  void flush();
  std::filesystem::path path_;
  int width_;
  std::ofstream out_;
  std::vector<char> buffer_;
  std::size_t count_ = 0;
};

// Where the values of such a file lie.
struct NpyValues {
  std::size_t offset = 0, count = 0;
  int width = 0;
};
// Of the file's bytes. Throws Error(where) unless it is a one-dimensional array of '<u2' or '<u4'
// that is as long as it says.
NpyValues read_npy(const char* bytes, std::size_t size, const std::string& where);

}  // namespace bitlab
