#include "core/text/byte_alphabet.h"

#include "core/text/utf8.h"

namespace bitlab {

namespace {

std::array<char32_t, 256> make_codes() {
  std::array<char32_t, 256> codes{};
  char32_t next = 0x100;
  for (char32_t b = 0; b < 256; ++b) {
    const bool visible = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
    codes[b] = visible ? b : next++;
  }
  return codes;
}

const std::array<char32_t, 256>& codes() {
  static const auto kCodes = make_codes();
  return kCodes;
}

// By code point: its byte or -1. All code points are below 0x144.
std::array<int, 0x144> make_bytes() {
  std::array<int, 0x144> bytes{};
  bytes.fill(-1);
  for (int b = 0; b < 256; ++b) bytes[codes()[static_cast<std::size_t>(b)]] = b;
  return bytes;
}

}  // namespace

const std::array<std::string, 256>& byte_alphabet() {
  static const auto kAlphabet = [] {
    std::array<std::string, 256> alphabet;
    for (std::size_t b = 0; b < 256; ++b) append_utf8(alphabet[b], codes()[b]);
    return alphabet;
  }();
  return kAlphabet;
}

std::string bytes_to_alphabet(std::string_view bytes) {
  std::string text;
  for (const char b : bytes) text += byte_alphabet()[static_cast<unsigned char>(b)];
  return text;
}

bool alphabet_to_bytes(std::string_view text, std::string& bytes) {
  static const auto kBytes = make_bytes();
  bytes.clear();
  for (std::size_t at = 0, length; at < text.size(); at += length) {
    length = utf8_length(text, at);
    if (length == 0) return false;
    const char32_t code = utf8_code_point(text, at, length);
    if (code >= kBytes.size() || kBytes[code] < 0) return false;
    bytes += static_cast<char>(kBytes[code]);
  }
  return true;
}

}  // namespace bitlab
