#include "core/io/npy.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "core/base/error.h"
#include "core/base/files.h"

namespace bitlab {

static_assert(std::endian::native == std::endian::little, "values are written as they lie");

namespace {

constexpr std::size_t kHeader = 128;  // a multiple of 64, as numpy aligns it
constexpr std::size_t kPrefix = 10;   // magic, version, length
constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);

std::string header(int width, std::size_t count) {
  std::string text = "{'descr': '<u" + std::to_string(width) +
                     "', 'fortran_order': False, 'shape': (" + std::to_string(count) + ",), }";
  text.resize(kHeader - kPrefix - 1, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  return std::string(kMagic) + static_cast<char>(length & 255) + static_cast<char>(length >> 8) +
         text;
}

[[noreturn]] void cannot_write(const std::filesystem::path& path) {
  throw Error(path.string(), std::string("cannot be written: ") + std::strerror(errno),
              "free some disk space and run the same command again");
}

// What stands behind 'key': in a header.
std::string_view after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

}  // namespace

NpyWriter::NpyWriter(const std::filesystem::path& path, int width)
    : path_(path), width_(width), out_(path, std::ios::binary | std::ios::trunc) {
  out_ << std::string(kHeader, ' ');
  if (!out_) cannot_write(path_);
}

void NpyWriter::append(const std::int32_t* values, std::size_t count) {
  const auto width = static_cast<std::size_t>(width_);
  for (std::size_t i = 0; i < count; ++i) {
    char bytes[4];
    std::memcpy(bytes, values + i, sizeof bytes);  // little endian: the low bytes come first
    buffer_.insert(buffer_.end(), bytes, bytes + width);
  }
  count_ += count;
  if (buffer_.size() >= 1 << 20) flush();
}

void NpyWriter::flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  if (!out_) cannot_write(path_);
  buffer_.clear();
}

void NpyWriter::finish() {
  flush();
  out_.seekp(0);
  out_ << header(width_, count_);
  out_.close();
  if (!out_) cannot_write(path_);
  sync_path(path_);
}

NpyValues read_npy(const char* bytes, std::size_t size, const std::string& where) {
  const auto refuse = [&](const char* what) {
    throw Error(
        where, std::string("must be a whole .npy of '<u2' or '<u4' in one dimension, but ") + what);
  };
  if (size < kPrefix || std::string_view(bytes, kMagic.size()) != kMagic) refuse("is none");
  NpyValues values;
  values.offset =
      kPrefix + static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  if (values.offset > size) refuse("its header is cut off");
  const std::string_view text(bytes + kPrefix, values.offset - kPrefix);
  const std::string_view type = after(text, "'descr':");
  if (type.starts_with("'<u2'")) values.width = 2;
  if (type.starts_with("'<u4'")) values.width = 4;
  if (values.width == 0) refuse("has other values");
  const std::string_view shape = after(text, "'shape': (");
  const auto parsed = std::from_chars(shape.data(), shape.data() + shape.size(), values.count);
  if (parsed.ec != std::errc() ||
      !std::string_view(parsed.ptr, shape.data() + shape.size() - parsed.ptr).starts_with(",)"))
    refuse("has another shape");
  const std::size_t there = size - values.offset, width = static_cast<std::size_t>(values.width);
  if (there % width != 0 || there / width != values.count) refuse("has another length");
  return values;
}

}  // namespace bitlab
