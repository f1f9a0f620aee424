#include "core/io/torch_pickle.h"

#include <bit>
#include <cstring>
#include <map>

#include "core/base/error.h"
#include "core/io/torch_globals.h"

namespace bitlab {

namespace {

using Kind = PickleValue::Kind;
using Items = std::vector<PickleValue>;

constexpr std::size_t kMost = std::size_t{1} << 21;  // values, and copies of them in the memo
constexpr std::size_t kTextOfOne = 64;               // bytes of a text that count as a value
constexpr std::size_t kLongestText = 1024;           // names are shorter
constexpr std::size_t kMostDimensions = 64;          // of a tensor, as in PyTorch

// No container.
PickleValue value(Kind kind) {
  PickleValue v;
  v.kind = kind;
  return v;
}

PickleValue integer(std::int64_t n, Kind kind = Kind::Number) {
  PickleValue v = value(kind);
  v.number = n;
  return v;
}

class Machine {
 public:
  Machine(const std::string& where, std::string_view bytes, std::size_t at)
      : where_(where), bytes_(bytes), at_(at) {}

  Pickle run() {
    for (;;) {
      here_ = at_;
      const auto op = static_cast<unsigned char>(take(1)[0]);
      if (op == '.') break;
      if (!constant(op) && !container(op) && !memo(op)) step(op);
    }
    PickleValue result = pop();
    return {std::move(result), std::move(containers_)};
  }
  std::size_t at() const { return at_; }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(where_, "must be a checkpoint of PyTorch that holds tensors alone, but byte " +
                            std::to_string(here_) + " of its pickle is " + what);
  }
  [[noreturn]] void refuse(std::string global) const {
    global[global.find(' ')] = '.';
    fail("a call of " + global +
         "; a pickle may run programs, so nothing but records of tensors is read");
  }

  std::string_view take(std::size_t n) {
    if (n > bytes_.size() - at_) fail("cut off");
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  template <class T>
  T raw() {
    T x;
    std::memcpy(&x, take(sizeof(T)).data(), sizeof(T));
    return x;  // little-endian, as the machines that bitlab runs on
  }
  std::string line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) fail("cut off");
    const std::string text(take(end - at_));
    ++at_;
    return text;
  }

  PickleValue pop() {
    if (stack_.empty()) fail("an empty stack");
    PickleValue v = std::move(stack_.back());
    stack_.pop_back();
    return v;
  }
  PickleValue& top(Kind kind) {
    if (stack_.empty() || stack_.back().kind != kind) fail("used on a value of another kind");
    return stack_.back();
  }
  Items pop_to_mark() {
    Items items;
    for (PickleValue v = pop(); v.kind != Kind::Mark; v = pop()) items.push_back(std::move(v));
    return {std::make_move_iterator(items.rbegin()), std::make_move_iterator(items.rend())};
  }
  // Values are many times as large as the instructions that make them.
  void spend(std::size_t values) {
    made_ += values;
    if (made_ > kMost) fail("more values than any checkpoint has");
  }
  void spend_on(const PickleValue& v) { spend(1 + v.text.size() / kTextOfOne); }
  void push(PickleValue v) {
    spend_on(v);
    stack_.push_back(std::move(v));
  }
  PickleValue container_of(Kind kind) {
    PickleValue v = value(kind);
    v.items = &containers_.emplace_back();
    return v;
  }
  void push_text(std::size_t n) {
    if (n > kLongestText) fail("a text of " + std::to_string(n) + " bytes, which names none");
    PickleValue v = value(Kind::Text);
    v.text = take(n);
    push(std::move(v));
  }
  void push_tuple(Items items) {
    PickleValue v = container_of(Kind::Tuple);
    *v.items = std::move(items);
    push(std::move(v));
  }
  void push_tuple_of(std::size_t n) {
    if (stack_.size() < n) fail("an empty stack");
    Items items(std::make_move_iterator(stack_.end() - static_cast<std::ptrdiff_t>(n)),
                std::make_move_iterator(stack_.end()));
    stack_.resize(stack_.size() - n);
    push_tuple(std::move(items));
  }
  void push_global(const std::string& global) {
    if (!is_tensor_function(global) && storage_dtype(global) == nullptr) refuse(global);
    PickleValue v = value(Kind::Global);
    v.text = global;
    push(std::move(v));
  }

  bool constant(unsigned char op) {
    switch (op) {
      case 'N':
        push(value(Kind::None));
        return true;
      case 0x88:
      case 0x89:
        push(integer(op == 0x88, Kind::Bool));
        return true;
      case 'J':
        push(integer(raw<std::int32_t>()));
        return true;
      case 'K':
        push(integer(raw<std::uint8_t>()));
        return true;
      case 'M':
        push(integer(raw<std::uint16_t>()));
        return true;
      case 0x8A:
        push(integer(long_integer(take(raw<std::uint8_t>()))));
        return true;
      case 'G': {
        PickleValue v = value(Kind::Real);
        std::uint64_t bits = 0;
        for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
        v.real = std::bit_cast<double>(bits);
        push(std::move(v));
        return true;
      }
      case 'X':
      case 'B':
      case 'T':
        push_text(raw<std::uint32_t>());
        return true;
      case 0x8C:
      case 'C':
      case 'U':
        push_text(raw<std::uint8_t>());
        return true;
      default:
        return false;
    }
  }

  // Little-endian two's complement.
  static std::int64_t long_integer(std::string_view digits) {
    if (digits.size() > 8) return -1;
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < digits.size(); ++i)
      n |= std::uint64_t{static_cast<unsigned char>(digits[i])} << 8 * i;
    const bool negative = !digits.empty() && (digits.back() & 0x80) != 0;
    if (negative && digits.size() < 8) n |= ~std::uint64_t{0} << 8 * digits.size();
    return static_cast<std::int64_t>(n);
  }

  bool container(unsigned char op) {
    switch (op) {
      case '(':
        push(value(Kind::Mark));
        return true;
      case ')':
        push(container_of(Kind::Tuple));
        return true;
      case ']':
        push(container_of(Kind::List));
        return true;
      case '}':
        push(container_of(Kind::Dict));
        return true;
      case 't':
        push_tuple(pop_to_mark());
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple_of(op - 0x84u);
        return true;
      case 'a':
        append(Kind::List, [this] {
          Items items;
          items.push_back(pop());
          return items;
        }());
        return true;
      case 'e':
        append(Kind::List, pop_to_mark());
        return true;
      case 's': {
        PickleValue item = pop(), key = pop();
        append(Kind::Dict, {std::move(key), std::move(item)});
        return true;
      }
      case 'u':
        append(Kind::Dict, pop_to_mark());
        return true;
      default:
        return false;
    }
  }
  void append(Kind kind, Items items) {
    if (kind == Kind::Dict && items.size() % 2 != 0) fail("a dict with a key and no value");
    Items& to = *top(kind).items;
    to.insert(to.end(), std::make_move_iterator(items.begin()),
              std::make_move_iterator(items.end()));
  }

  bool memo(unsigned char op) {
    switch (op) {
      case 'q':
        remember(raw<std::uint8_t>());
        return true;
      case 'r':
        remember(raw<std::uint32_t>());
        return true;
      case 0x94:
        remember(memo_.size());
        return true;
      case 'h':
        recall(raw<std::uint8_t>());
        return true;
      case 'j':
        recall(raw<std::uint32_t>());
        return true;
      default:
        return false;
    }
  }
  void remember(std::size_t i) {
    if (stack_.empty()) fail("an empty stack");
    spend_on(stack_.back());
    memo_[i] = stack_.back();
  }
  void recall(std::size_t i) {
    const auto found = memo_.find(i);
    if (found == memo_.end()) fail("a value that was not kept");
    push(found->second);
  }

  void step(unsigned char op) {
    switch (op) {
      case 0x80:
        if (raw<std::uint8_t>() > 5) fail("of a newer protocol than 5");
        return;
      case 0x95:
        take(8);  // a frame says how much follows
        return;
      case 'c': {
        const std::string module = line();
        return push_global(module + " " + line());
      }
      case 0x93: {
        const PickleValue name = pop(), module = pop();
        if (name.kind != Kind::Text || module.kind != Kind::Text) fail("a name that is no text");
        return push_global(module.text + " " + name.text);
      }
      case 'R': {
        PickleValue args = pop();
        const PickleValue function = pop();
        if (function.kind != Kind::Global || args.kind != Kind::Tuple) fail("no call");
        return push(call(function.text, *args.items));
      }
      case 'Q':
        return push(storage(pop()));
      case 'b':
        pop();  // attributes of a dict: versions of modules
        top(Kind::Dict);
        return;
      default:
        fail("an instruction that records of tensors do not need (" + std::to_string(op) + ")");
    }
  }

  PickleValue call(const std::string& function, Items& args) {
    if (function == "collections OrderedDict") {
      PickleValue dict = container_of(Kind::Dict);
      if (args.empty()) return dict;
      if (args.size() != 1 || args[0].kind != Kind::List) fail("no dict");
      for (const PickleValue& pair : *args[0].items) {
        if (pair.items == nullptr || pair.items->size() != 2) fail("no dict");
        for (const PickleValue& one : *pair.items) spend_on(one);
        dict.items->insert(dict.items->end(), pair.items->begin(), pair.items->end());
      }
      return dict;
    }
    if (function == "torch._utils _rebuild_parameter") {
      if (args.empty() || args[0].kind != Kind::Tensor) fail("no parameter");
      return args[0];
    }
    if (function != "torch._utils _rebuild_tensor_v2") refuse(function);
    if (args.size() < 4 || args[0].kind != Kind::Storage) fail("no tensor");
    auto tensor = std::make_shared<TorchTensor>(*args[0].tensor);
    tensor->offset = size(args[1]);
    for (auto [from, to] : {std::pair(&args[2], &tensor->shape), {&args[3], &tensor->stride}}) {
      if (from->kind != Kind::Tuple && from->kind != Kind::List) fail("no shape");
      if (from->items->size() > kMostDimensions) fail("no shape");
      for (const PickleValue& n : *from->items) to->push_back(size(n));
    }
    if (tensor->shape.size() != tensor->stride.size()) fail("no shape");
    PickleValue v = value(Kind::Tensor);
    v.tensor = std::move(tensor);
    return v;
  }

  // ("storage", torch.FloatStorage, key, device, elements[, view])
  PickleValue storage(const PickleValue& id) {
    if (id.kind != Kind::Tuple || id.items->size() < 5) fail("no storage");
    const Items& args = *id.items;
    const DType* dtype = storage_dtype(args[1].text);
    if (args[0].text != "storage" || args[1].kind != Kind::Global || dtype == nullptr ||
        args[2].kind != Kind::Text)
      fail("no storage");
    if (args.size() > 5 && args[5].kind != Kind::None) fail("a view of a storage");
    spend_on(args[2]);
    auto record = std::make_shared<TorchTensor>();
    record->storage = {*dtype, args[2].text, size(args[4])};
    PickleValue v = value(Kind::Storage);
    v.tensor = std::move(record);
    return v;
  }
  std::size_t size(const PickleValue& v) {
    if (v.kind != Kind::Number || v.number < 0 || v.number > std::int64_t{1} << 40) fail("no size");
    return static_cast<std::size_t>(v.number);
  }

  const std::string& where_;
  std::string_view bytes_;
  std::size_t at_, here_ = 0;  // here_: of the instruction
  Items stack_;
  std::map<std::size_t, PickleValue> memo_;
  std::deque<Items> containers_;
  std::size_t made_ = 0;
};

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
  if (kind != Kind::Dict) return nullptr;
  for (std::size_t i = 0; i + 1 < items->size(); i += 2)
    if ((*items)[i].kind == Kind::Text && (*items)[i].text == key) return &(*items)[i + 1];
  return nullptr;
}

Pickle read_pickle(const std::string& where, std::string_view bytes, std::size_t& at) {
  if (at > bytes.size()) throw Error(where, "must hold a pickle, but is cut off");
  Machine machine(where, bytes, at);
  Pickle result = machine.run();
  at = machine.at();
  return result;
}

}  // namespace bitlab
