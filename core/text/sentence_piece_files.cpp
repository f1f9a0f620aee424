// The files of SentencePiece: its own protobuf, and llama2.c's tokenizer.bin.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "core/base/error.h"
#include "core/text/sentence_piece.h"

namespace bitlab {

namespace {

constexpr const char* kWhere = "sentencepiece";

[[noreturn]] void broken(const std::string& what) {
  throw Error(kWhere, "the file must be whole, but " + what);
}

template <class T>
T take(std::string_view& bytes) {
  if (bytes.size() < sizeof(T)) broken("ends early");
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

std::string_view take_bytes(std::string_view& bytes, std::uint64_t count) {
  if (count > bytes.size()) broken("ends early");
  const std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return taken;
}

// The fields of a protobuf message, one after another.
// (protobuf.dev/programming-guides/encoding)
struct Fields {
  std::string_view bytes;
  std::uint64_t number = 0, value = 0;  // value: of a varint
  std::string_view content = {};        // of all others

  std::uint64_t varint() {
    std::uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = take<std::uint8_t>(bytes);
      result |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return result;
    }
    broken("a number has more than 64 bits");
  }
  bool next() {
    if (bytes.empty()) return false;
    const std::uint64_t key = varint();
    number = key >> 3;
    content = {};
    if ((key & 7) == 0) {
      value = varint();
    } else if ((key & 7) == 1) {
      content = take_bytes(bytes, 8);
    } else if ((key & 7) == 2) {
      content = take_bytes(bytes, varint());
    } else if ((key & 7) == 5) {
      content = take_bytes(bytes, 4);
    } else {
      broken("a field has wire type " + std::to_string(key & 7));
    }
    return true;
  }
};

// sentencepiece_model.proto: ModelProto.SentencePiece
SentencePiece::Piece read_piece(std::string_view message) {
  SentencePiece::Piece piece;
  for (Fields f{message}; f.next();) {
    if (f.number == 1) piece.text = f.content;
    if (f.number == 2) piece.score = take<float>(f.content);
    if (f.number == 3) {
      if (f.value < 1 || f.value > 6) broken("a piece has type " + std::to_string(f.value));
      piece.type = static_cast<SentencePiece::Type>(f.value);
    }
  }
  if (!std::isfinite(piece.score)) broken("a score is not finite");
  return piece;
}

void refuse_unless(bool holds, const char* what) {
  if (!holds) throw Error(kWhere, std::string("the model must be ") + what + ", but is not");
}

// TrainerSpec
void check_trainer(std::string_view message) {
  std::uint64_t type = 1, fallback = 0;
  for (Fields f{message}; f.next();) {
    if (f.number == 3) type = f.value;
    if (f.number == 35) fallback = f.value;
  }
  refuse_unless(type == 2, "BPE");
  refuse_unless(fallback != 0, "one with byte fallback");
}

// NormalizerSpec
void check_normalizer(std::string_view message) {
  std::uint64_t prefix = 1, remove = 1, escape = 1;
  bool map = false;
  for (Fields f{message}; f.next();) {
    if (f.number == 2) map = !f.content.empty();
    if (f.number == 3) prefix = f.value;
    if (f.number == 4) remove = f.value;
    if (f.number == 5) escape = f.value;
  }
  refuse_unless(!map && remove == 0 && escape != 0, "one without normalisation");
  refuse_unless(prefix != 0, "one that puts a space before the text");
}

}  // namespace

SentencePiece SentencePiece::from_model(std::string_view content) {
  std::vector<Piece> pieces;
  bool trainer = false, normalizer = false;
  for (Fields f{content}; f.next();) {
    if (f.number == 1) pieces.push_back(read_piece(f.content));
    if (f.number == 2) check_trainer(f.content), trainer = true;
    if (f.number == 3) check_normalizer(f.content), normalizer = true;
  }
  refuse_unless(trainer && normalizer, "complete");
  return SentencePiece(std::move(pieces));
}

SentencePiece SentencePiece::from_llama2c(std::string_view content) {
  std::vector<Piece> pieces;
  take<std::uint32_t>(content);  // bytes of the longest piece
  while (!content.empty()) {
    Piece piece;
    piece.score = take<float>(content);
    if (!std::isfinite(piece.score)) broken("a score is not finite");
    const std::string_view text = take_bytes(content, take<std::uint32_t>(content));
    for (const char c : text) c == ' ' ? piece.text += SentencePiece::kSpace : piece.text += c;
    const std::size_t id = pieces.size();
    if (id < 3) {  // written as "\n<s>\n"
      piece.text = id == 0 ? "<unk>" : id == 1 ? "<s>" : "</s>";
      piece.type = id == 0 ? Type::kUnknown : Type::kControl;
    } else if (id < 259) {
      piece.type = Type::kByte;
    }
    pieces.push_back(std::move(piece));
  }
  return SentencePiece(std::move(pieces));
}

// Every way to cut a piece into two; the best piece first, and of one piece the lowest ids.
std::vector<BpeMerge> SentencePiece::merges_of_scores() const {
  std::vector<BpeMerge> merges;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (pieces_[i].type != Type::kNormal) continue;
    const std::string_view text = pieces_[i].text;
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const std::int32_t left = normal_.find(text.substr(0, cut));
      const std::int32_t right = normal_.find(text.substr(cut));
      if (left >= 0 && right >= 0) merges.push_back({left, right, static_cast<std::int32_t>(i)});
    }
  }
  const auto score = [&](const BpeMerge& m) {
    return pieces_[static_cast<std::size_t>(m.result)].score;
  };
  std::sort(merges.begin(), merges.end(), [&](const BpeMerge& a, const BpeMerge& b) {
    return std::tuple(-score(a), a.result, a.left, a.right) <
           std::tuple(-score(b), b.result, b.left, b.right);
  });
  return merges;
}

}  // namespace bitlab
