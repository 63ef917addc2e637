#include "formats/hdf5.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "formats/anomaly.h"
#include "formats/hdf5_messages.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1A\n";

// Header messages, by their numbers.
enum MessageType : std::uint16_t {
  kLinkInfo = 0x02,
  kLinkMessage = 0x06,
  kExternalFiles = 0x07,
  kDataLayout = 0x08,
  kAttribute = 0x0C,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
  kAttributeInfo = 0x15,
};

tl::unexpected<base::Error> corrupt(std::string_view what, std::uint64_t offset) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the HDF5 file has {} at byte {}", what, offset));
}

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {}

  Result<Hdf5File> read();

 private:
  struct Object {
    std::uint64_t address;
    std::string path;
  };

  Result<std::uint64_t> superblock();
  Result<std::uint64_t> old_superblock(Hdf5Fields& fields);
  Result<base::Bytes> bytes(std::uint64_t address, std::uint64_t size);
  Result<base::Bytes> signed_bytes(std::uint64_t address, std::uint64_t size, std::string_view signature);
  Result<> object(const Object& object);
  Result<> header_1(const Object& object, const base::Bytes& head);
  Result<> header_2(const Object& object, const base::Bytes& head);
  Result<> part(const Object& object, base::ByteView part, unsigned version, bool with_order);
  Result<> message(const Object& object, const Hdf5Message& message);
  Result<> link(const Object& object, const Hdf5Message& message);
  Result<> infos(const Object& object, const Hdf5Message& message);
  Result<> attribute(const Object& object, const Hdf5Message& message);
  Result<> external_files(const Object& object, const Hdf5Message& message);
  Result<> layout(const Object& object, const Hdf5Message& message);
  Result<> symbol_table(const Object& object, const Hdf5Message& message);
  Result<> tree(const Object& object, std::uint64_t root, base::ByteView names);
  Result<> symbols(const Object& object, std::uint64_t address, base::ByteView names);
  Result<base::Bytes> local_heap(std::uint64_t address);
  Result<base::Bytes> heap_object(std::uint64_t address, std::uint32_t index);
  Result<> queue(const Object& parent, std::uint64_t address, std::string_view name);
  Result<> keep(std::size_t size);
  // False where the address was seen before.
  Result<bool> visit(std::uint64_t address);
  void outside(Hdf5OutsideKind kind, const Object& object, std::string_view name, std::string file);
  void unread(std::string why);

  const Source& source_;
  Hdf5File file_;
  Hdf5Widths widths_;
  std::uint64_t base_ = 0;
  std::set<std::uint64_t> visited_;
  std::vector<Object> waiting_;
  struct Part {
    std::uint64_t address;
    std::uint64_t size;
  };
  std::vector<Part> parts_;  // of the header at hand, still to be read
  std::uint64_t read_ = 0;
  std::size_t kept_ = 0;
  std::size_t nodes_ = 0;
};

Result<base::Bytes> Reader::bytes(std::uint64_t address, std::uint64_t size) {
  if (size > Hdf5File::kMaxChunkBytes || (read_ += size) > Hdf5File::kMaxReadBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the HDF5 file's structure at byte {} is larger than what is read", address));
  }
  if (address > source_.size() || base_ > source_.size() - address) {
    return corrupt("an address outside of itself", address);
  }
  return read_exactly(source_, base_ + address, static_cast<std::size_t>(size));
}

Result<base::Bytes> Reader::signed_bytes(std::uint64_t address, std::uint64_t size,
                                         std::string_view signature) {
  HF_TRY(auto read, bytes(address, size));
  if (!base::as_text(read).starts_with(signature)) return corrupt("no " + std::string(signature), address);
  return read;
}

Result<bool> Reader::visit(std::uint64_t address) {
  if (!visited_.insert(address).second) return false;
  if (++nodes_ > Hdf5File::kMaxNodes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the HDF5 file has more than {} objects and nodes", Hdf5File::kMaxNodes));
  }
  return true;
}

Result<> Reader::keep(std::size_t size) {
  kept_ += size;
  if (kept_ <= Hdf5File::kMaxKeptBytes) return {};
  return fail(
      ErrorCode::kLimitExceeded,
      fmt::format("the HDF5 file's names and texts take more than {} bytes", Hdf5File::kMaxKeptBytes));
}

void Reader::unread(std::string why) {
  if (file_.unread.size() < Hdf5File::kMaxListed) file_.unread.push_back(std::move(why));
}

void Reader::outside(Hdf5OutsideKind kind, const Object& object, std::string_view name, std::string file) {
  if (file_.outside.size() >= Hdf5File::kMaxListed) return;
  file.resize(std::min(file.size(), Hdf5File::kMaxPathBytes));
  file_.outside.push_back({.kind = kind,
                           .object = name.empty() ? object.path : fmt::format("{}/{}", object.path, name),
                           .file = std::move(file),
                           .offset = base_ + object.address});
}

// Gives the address of the root group's header.
Result<std::uint64_t> Reader::old_superblock(Hdf5Fields& fields) {
  fields.skip(4);
  widths_.offset = static_cast<std::size_t>(fields.number(1));
  widths_.length = static_cast<std::size_t>(fields.number(1));
  fields.skip(file_.superblock == 0 ? 9 : 13);
  fields.skip(3 * widths_.offset);
  const std::uint64_t driver = fields.address(widths_.offset);
  if (driver != kHdf5Undefined) unread("the HDF5 file is one of several that hold its data (a driver block)");
  fields.skip(widths_.offset);
  const std::uint64_t root = fields.address(widths_.offset);
  return root;
}

Result<std::uint64_t> Reader::superblock() {
  std::uint64_t at = 0;
  base::Bytes head;
  for (at = 0;; at = at == 0 ? 512 : at * 2) {
    if (at >= source_.size() || at > source_.size() / 2 + 512) return corrupt("no signature", 0);
    head.resize(128);
    HF_TRY(const std::size_t got, source_.read_at(at, head));
    head.resize(got);
    if (base::as_text(head).starts_with(kSignature)) break;
  }
  Hdf5Fields fields(head);
  fields.skip(kSignature.size());
  file_.superblock = static_cast<unsigned>(fields.number(1));
  std::uint64_t root = 0;
  if (file_.superblock <= 1) {
    HF_TRY(root, old_superblock(fields));
  } else if (file_.superblock <= 3) {
    widths_.offset = static_cast<std::size_t>(fields.number(1));
    widths_.length = static_cast<std::size_t>(fields.number(1));
    fields.skip(1);
    fields.skip(3 * widths_.offset);
    root = fields.address(widths_.offset);
  } else {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("the HDF5 file has a superblock of version {}, which is not known", file_.superblock));
  }
  const auto usable = [](std::size_t width) { return width == 2 || width == 4 || width == 8; };
  if (!fields.ok() || !usable(widths_.offset) || !usable(widths_.length)) {
    return corrupt("a broken superblock", at);
  }
  base_ = at;  // whatever base address is written: the library too takes the superblock's own place
  return root;
}

Result<> Reader::queue(const Object& parent, std::uint64_t address, std::string_view name) {
  if (visited_.contains(address)) return {};
  std::string path = fmt::format("{}/{}", parent.path, name);
  if (path.size() > Hdf5File::kMaxPathBytes) path.resize(Hdf5File::kMaxPathBytes);
  if (waiting_.size() > Hdf5File::kMaxNodes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the HDF5 file has more than {} objects", Hdf5File::kMaxNodes));
  }
  HF_CHECK(keep(path.size()));
  waiting_.push_back({address, std::move(path)});
  return {};
}

Result<base::Bytes> Reader::local_heap(std::uint64_t address) {
  HF_TRY(const auto head, signed_bytes(address, 8 + 2 * widths_.length + widths_.offset, "HEAP"));
  Hdf5Fields fields(head);
  fields.skip(8);
  const std::uint64_t size = fields.number(widths_.length);
  fields.skip(widths_.length);
  return bytes(fields.address(widths_.offset), size);
}

std::string name_in(base::ByteView heap, std::uint64_t offset) {
  if (offset >= heap.size()) return {};
  return Hdf5Fields(heap.subspan(static_cast<std::size_t>(offset))).name();
}

// Of a collection of the global heap (section III.E).
Result<base::Bytes> Reader::heap_object(std::uint64_t address, std::uint32_t index) {
  HF_TRY(const auto head, signed_bytes(address, 8 + widths_.length, "GCOL"));
  Hdf5Fields said(head);
  said.skip(8);
  HF_TRY(const auto collection, bytes(address, said.number(widths_.length)));
  Hdf5Fields fields(collection);
  fields.skip(8 + widths_.length);
  while (fields.left() >= 8 + widths_.length) {
    const std::uint64_t number = fields.number(2);
    fields.skip(6);
    const std::uint64_t size = fields.number(widths_.length);
    if (number == 0) break;
    const base::ByteView body = fields.take(size);
    if (!fields.ok()) break;
    if (number == index) return base::Bytes(body.begin(), body.end());
    fields.skip(std::min<std::uint64_t>((8 - size % 8) % 8, fields.left()));
  }
  return corrupt("a heap without the object that is asked of it", address);
}

// The symbols of an old group, in the leaves of its tree (sections III.A.1, III.B and III.C).
Result<> Reader::symbols(const Object& object, std::uint64_t address, base::ByteView names) {
  HF_TRY(const auto head, signed_bytes(address, 8, "SNOD"));
  const std::size_t count = head[6] + 256UL * head[7];
  const std::size_t size = 2 * widths_.offset + 24;
  HF_TRY(const auto entries, bytes(address + 8, count * size));
  Hdf5Fields fields(entries);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = name_in(names, fields.address(widths_.offset));
    const std::uint64_t target = fields.address(widths_.offset);
    fields.skip(24);
    if (target != kHdf5Undefined) HF_CHECK(queue(object, target, name));
  }
  return {};
}

Result<> Reader::tree(const Object& object, std::uint64_t root, base::ByteView names) {
  std::vector<std::uint64_t> nodes{root};
  while (!nodes.empty()) {
    const std::uint64_t address = nodes.back();
    nodes.pop_back();
    HF_TRY(const bool fresh, visit(address));
    if (!fresh) continue;
    const std::size_t head_size = 8 + 2 * widths_.offset;
    HF_TRY(const auto head, signed_bytes(address, head_size, "TREE"));
    const std::size_t count = head[6] + 256UL * head[7];
    HF_TRY(const auto entries,
           bytes(address + head_size, count * (widths_.offset + widths_.length) + widths_.length));
    Hdf5Fields fields(entries);
    for (std::size_t i = 0; i < count; ++i) {
      fields.skip(widths_.length);
      const std::uint64_t child = fields.address(widths_.offset);
      if (head[5] > 0) {
        nodes.push_back(child);
        continue;
      }
      HF_TRY(const bool fresh_leaf, visit(child));
      if (fresh_leaf) HF_CHECK(symbols(object, child, names));
    }
    if (nodes.size() > Hdf5File::kMaxNodes) return corrupt("a tree without end", root);
  }
  return {};
}

Result<> Reader::symbol_table(const Object& object, const Hdf5Message& message) {
  Hdf5Fields fields(message.body);
  const std::uint64_t root = fields.address(widths_.offset);
  const std::uint64_t heap = fields.address(widths_.offset);
  if (!fields.ok()) return corrupt("a broken symbol table", object.address);
  if (root == kHdf5Undefined) return {};
  HF_TRY(const auto names, local_heap(heap));
  return tree(object, root, names);
}

Result<> Reader::link(const Object& object, const Hdf5Message& message) {
  auto link = hdf5_link(message.body, widths_);
  if (!link) return corrupt("a broken link", object.address);
  switch (link->kind) {
    case Hdf5Link::Kind::kHard:
      return queue(object, link->address, link->name);
    case Hdf5Link::Kind::kExternal:
      outside(Hdf5OutsideKind::kLink, object, link->name, std::move(link->file));
      return {};
    case Hdf5Link::Kind::kOther:
      unread(fmt::format("the link {} of the HDF5 file is of a kind that a program defines",
                         quote(object.path + "/" + link->name)));
      return {};
    case Hdf5Link::Kind::kSoft:
      return {};  // to another object of this file
  }
  return {};
}

Result<> Reader::external_files(const Object& object, const Hdf5Message& message) {
  Hdf5Fields fields(message.body);
  fields.skip(6);
  const std::uint64_t used = fields.number(2);
  const std::uint64_t heap = fields.address(widths_.offset);
  if (!fields.ok()) return corrupt("a broken list of external files", object.address);
  HF_TRY(const auto names, local_heap(heap));
  for (std::uint64_t i = 0; i < used && fields.ok(); ++i) {
    outside(Hdf5OutsideKind::kStorage, object, {}, name_in(names, fields.number(widths_.length)));
    fields.skip(2 * widths_.length);
  }
  return {};
}

// Section IV.A.2.i: only a virtual layout names other files.
Result<> Reader::layout(const Object& object, const Hdf5Message& message) {
  Hdf5Fields fields(message.body);
  const std::uint64_t version = fields.number(1);
  if (version < 4 || fields.number(1) != 3) return {};
  const std::uint64_t heap = fields.address(widths_.offset);
  const auto index = static_cast<std::uint32_t>(fields.number(4));
  if (!fields.ok()) return corrupt("a broken layout", object.address);
  if (heap == kHdf5Undefined) return {};
  HF_TRY(const auto block, heap_object(heap, index));
  Hdf5Fields list(block);
  const std::uint64_t block_version = list.number(1);
  list.skip(widths_.length);
  // Where each source comes with flags (version 1), the name may be left out; then it is not told here.
  outside(Hdf5OutsideKind::kVirtual, object, {}, block_version == 0 ? list.name() : "another file");
  return {};
}

Result<> Reader::attribute(const Object& object, const Hdf5Message& message) {
  if (!object.path.empty()) return {};
  if (message.shared()) {
    unread("an HDF5 attribute of the root group lies in the heap of shared messages");
    return {};
  }
  auto said = hdf5_attribute(message.body, widths_);
  if (!said) return corrupt("a broken attribute", object.address);
  if (said->shared) {
    unread(fmt::format("the type of the HDF5 attribute {} lies elsewhere", quote(said->name)));
    return {};
  }
  if (!said->is_text) return {};
  if (said->heap != kHdf5Undefined && said->heap != 0) {
    HF_TRY(const auto value, heap_object(said->heap, said->index));
    said->text = base::as_text(value).substr(0, static_cast<std::size_t>(said->length));
    said->text.resize(std::min(said->text.find('\0'), said->text.size()));
  }
  HF_CHECK(keep(said->name.size() + said->text.size()));
  if (file_.attributes.size() < Hdf5File::kMaxListed) {
    file_.attributes.push_back({.name = std::move(said->name), .text = std::move(said->text)});
  }
  return {};
}

// Links and attributes that are too many for messages lie in a fractal heap.
Result<> Reader::infos(const Object& object, const Hdf5Message& message) {
  Hdf5Fields fields(message.body);
  fields.skip(1);
  const std::uint64_t flags = fields.number(1);
  if ((flags & 1U) != 0) fields.skip(message.type == kLinkInfo ? 8 : 2);
  const std::uint64_t heap = fields.address(widths_.offset);
  if (!fields.ok()) return corrupt("broken information on links or attributes", object.address);
  if (heap == kHdf5Undefined) return {};
  if (message.type == kAttributeInfo && !object.path.empty()) return {};
  unread(fmt::format("the {} of {} lie in a dense heap, which can't be followed",
                     message.type == kLinkInfo ? "links" : "attributes",
                     object.path.empty() ? "the root group" : quote(object.path)));
  return {};
}

Result<> Reader::message(const Object& object, const Hdf5Message& message) {
  switch (message.type) {
    case kLinkMessage:
      return link(object, message);
    case kLinkInfo:
    case kAttributeInfo:
      return infos(object, message);
    case kExternalFiles:
      return external_files(object, message);
    case kDataLayout:
      return layout(object, message);
    case kAttribute:
      return attribute(object, message);
    case kSymbolTable:
      return symbol_table(object, message);
    case kContinuation: {
      Hdf5Fields fields(message.body);
      const std::uint64_t address = fields.address(widths_.offset);
      const std::uint64_t size = fields.number(widths_.length);
      if (!fields.ok()) return corrupt("a broken continuation", object.address);
      parts_.push_back({address, size});
      return {};
    }
    default:
      return {};
  }
}

Result<> Reader::part(const Object& object, base::ByteView part, unsigned version, bool with_order) {
  const auto messages = hdf5_messages(part, version, with_order);
  if (!messages) return corrupt("a message that leaves its header", object.address);
  for (const Hdf5Message& one : *messages) HF_CHECK(message(object, one));
  return {};
}

// Section IV.A.1.a. The first part is padded to 16 bytes.
Result<> Reader::header_1(const Object& object, const base::Bytes& head) {
  parts_.push_back({object.address + 16, base::load_le<std::uint32_t>(base::ByteView(head).subspan(8))});
  while (!parts_.empty()) {
    const Part next = parts_.back();
    parts_.pop_back();
    HF_TRY(const bool fresh, visit(next.address));
    if (!fresh) continue;
    HF_TRY(const auto read, bytes(next.address, next.size));
    HF_CHECK(part(object, read, 1, false));
  }
  return {};
}

// Section IV.A.1.b. The checksums are the library's to check: a wrong one only means that it reads less.
Result<> Reader::header_2(const Object& object, const base::Bytes& head) {
  const unsigned flags = head[5];
  const bool with_order = (flags & 4U) != 0;
  std::uint64_t before = 6;
  if ((flags & 32U) != 0) before += 16;
  if ((flags & 16U) != 0) before += 4;
  const std::size_t width = 1UL << (flags & 3U);
  HF_TRY(const auto prefix, bytes(object.address, before + width));
  const std::uint64_t size = Hdf5Fields(base::ByteView(prefix).subspan(before)).number(width);
  HF_TRY(const auto first, bytes(object.address + before + width, size));
  HF_CHECK(part(object, first, 2, with_order));
  while (!parts_.empty()) {
    const Part next = parts_.back();
    parts_.pop_back();
    HF_TRY(const bool fresh, visit(next.address));
    if (!fresh) continue;
    HF_TRY(const auto read, signed_bytes(next.address, next.size, "OCHK"));
    if (read.size() < 8) return corrupt("a continuation that is too short", next.address);
    HF_CHECK(part(object, base::ByteView(read).subspan(4, read.size() - 8), 2, with_order));
  }
  return {};
}

Result<> Reader::object(const Object& object) {
  HF_TRY(const bool fresh, visit(object.address));
  if (!fresh) return {};
  ++file_.objects;
  HF_TRY(const auto head, bytes(object.address, 12));
  if (base::as_text(head).starts_with("OHDR") && head[4] == 2) return header_2(object, head);
  if (head[0] == 1) return header_1(object, head);
  return corrupt("no object header", object.address);
}

Result<Hdf5File> Reader::read() {
  HF_TRY(const std::uint64_t root, superblock());
  waiting_.push_back({root, {}});
  while (!waiting_.empty()) {
    const Object next = std::move(waiting_.back());
    waiting_.pop_back();
    HF_CHECK(object(next));
  }
  return std::move(file_);
}

}  // namespace

const std::string* Hdf5File::text(std::string_view attribute) const {
  const auto found = std::ranges::find(attributes, attribute, &Hdf5Attribute::name);
  return found == attributes.end() ? nullptr : &found->text;
}

Result<Hdf5File> read_hdf5(const Source& source) { return Reader(source).read(); }

}  // namespace holdfast::formats
