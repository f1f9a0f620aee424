#include "core/io/packed_files.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "core/base/error.h"

namespace bitlab {

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;

class Archive {
 public:
  explicit Archive(std::filesystem::path path)
      : path_(std::move(path)), archive_(archive_read_new(), archive_read_free) {}

  archive* get() const { return archive_.get(); }
  void open() { check(archive_read_open_filename(get(), path_.c_str(), kBlock)); }
  // The next file; null at the end.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(get(), &entry);
    if (code == ARCHIVE_EOF) return nullptr;
    check(code);
    return entry;
  }
  void read(const std::function<void(std::string_view)>& take) {
    std::vector<char> block(kBlock);
    for (;;) {
      const la_ssize_t n = archive_read_data(get(), block.data(), block.size());
      if (n < 0) check(static_cast<int>(n));
      if (n <= 0) return;
      take({block.data(), static_cast<std::size_t>(n)});
    }
  }

 private:
  // Warnings too: libarchive warns where an archive is damaged in a way that it can go on from.
  void check(int code) const {
    if (code == ARCHIVE_OK) return;
    const char* reason = archive_error_string(get());
    throw Error(path_.string(), std::string("must be whole, but: ") +
                                    (reason != nullptr ? reason : "it cannot be read"));
  }

  std::filesystem::path path_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;
};

}  // namespace

void read_blocks(const std::filesystem::path& path,
                 const std::function<void(std::string_view block)>& take) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> block(kBlock);
  file.read(block.data(), 2);
  if (file.gcount() == 2 && std::memcmp(block.data(), "\x1f\x8b", 2) == 0) {
    Archive gzip(path);
    archive_read_support_filter_gzip(gzip.get());
    archive_read_support_format_raw(gzip.get());
    gzip.open();
    if (gzip.next() != nullptr) gzip.read(take);
    return;
  }
  if (!file.is_open() || file.bad())
    throw Error(path.string(), std::string("cannot be read: ") + std::strerror(errno));
  file.clear();
  file.seekg(0);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0)
    take({block.data(), static_cast<std::size_t>(file.gcount())});
  if (file.bad())
    throw Error(path.string(), std::string("cannot be read: ") + std::strerror(errno));
}

void read_archive(const std::filesystem::path& path,
                  const std::function<bool(const std::string& name)>& wanted,
                  const std::function<void(const std::string& name, std::string content)>& take) {
  Archive archive(path);
  archive_read_support_filter_gzip(archive.get());
  archive_read_support_format_tar(archive.get());
  archive_read_support_format_zip(archive.get());
  archive.open();
  while (archive_entry* entry = archive.next()) {
    const char* found = archive_entry_pathname(entry);
    const std::string name = found != nullptr ? found : "";
    if (archive_entry_filetype(entry) != AE_IFREG || !wanted(name)) continue;
    std::string content;
    archive.read([&](std::string_view block) { content += block; });
    take(name, std::move(content));
  }
}

}  // namespace bitlab
