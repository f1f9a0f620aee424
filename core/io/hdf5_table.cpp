#include "core/io/hdf5_table.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace bitlab {

namespace {

constexpr hsize_t kChunkRows = 256;  // a new chunk is rare, so most flushes rewrite bytes in place

Hdf5Handle text_type(std::size_t size) {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), size);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

// The compound type of a row. In the file bytes are little-endian on every machine.
Hdf5Handle row_type(const TableSchema& schema, bool in_file) {
  Hdf5Handle type(H5Tcreate(H5T_COMPOUND, schema.row_size), H5Tclose);
  for (const Column& c : schema.columns) {
    const Hdf5Handle text = c.kind == Kind::Text ? text_type(c.size) : Hdf5Handle();
    hid_t member = text.id();
    if (c.kind == Kind::Integer) member = in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64;
    if (c.kind == Kind::Number) member = in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE;
    H5Tinsert(type.id(), c.name, c.offset, member);
  }
  return type;
}

// Chunked, without end. A row whose bytes did not reach the file reads as -1 in its first column.
Hdf5Handle table_properties(const TableSchema& schema, hid_t memory_type) {
  Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  const hsize_t chunk = kChunkRows;
  H5Pset_chunk(properties.id(), 1, &chunk);
  std::vector<char> fill(schema.row_size, 0);
  const std::int64_t missing = -1;
  std::memcpy(fill.data() + schema.columns[0].offset, &missing, sizeof missing);
  H5Pset_fill_value(properties.id(), memory_type, fill.data());
  return properties;
}

}  // namespace

Hdf5Handle unlocked_access() {
  Hdf5Handle list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 12 && H5_VERS_RELEASE == 0)
  H5Pset_file_locking(list.id(), false, true);
#endif
  return list;
}

void write_attribute(hid_t object,
                     const std::string& name,
                     const std::vector<std::string>& values,
                     bool is_list,
                     const std::string& where) {
  std::size_t size = 1;  // with the zero at the end
  for (const std::string& value : values) size = std::max(size, value.size() + 1);
  std::string bytes(values.size() * size, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(&bytes[i * size], size - 1);

  const hsize_t count = values.size();
  const Hdf5Handle space(is_list ? H5Screate_simple(1, &count, nullptr) : H5Screate(H5S_SCALAR),
                         H5Sclose);
  const Hdf5Handle type = text_type(size);
  const Hdf5Handle attribute(
      check_hdf5(H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
                 where, "attribute '" + name + "' cannot be created"),
      H5Aclose);
  check_hdf5(H5Awrite(attribute.id(), type.id(), bytes.data()), where,
             "attribute '" + name + "' cannot be written");
}

TableWriter::TableWriter(hid_t file, const TableSchema& schema, const std::string& where)
    : schema_(&schema), where_(where), memory_type_(row_type(schema, false)) {
  const hsize_t rows = 0, unlimited = H5S_UNLIMITED;
  const Hdf5Handle space(H5Screate_simple(1, &rows, &unlimited), H5Sclose);
  const Hdf5Handle file_type = row_type(schema, true);
  const Hdf5Handle properties = table_properties(schema, memory_type_.id());
  dataset_ = Hdf5Handle(check_hdf5(H5Dcreate2(file, schema.path, file_type.id(), space.id(),
                                              H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                                   where, std::string(schema.path) + " cannot be created"),
                        H5Dclose);
  std::vector<std::string> units;
  for (const Column& c : schema.columns) units.push_back(c.unit);
  write_attribute(dataset_.id(), "units", units, true, where);
}

void TableWriter::append(const void* row) {
  const char* bytes = static_cast<const char*>(row);
  pending_.insert(pending_.end(), bytes, bytes + schema_->row_size);
}

void TableWriter::write() {
  const hsize_t count = pending_.size() / schema_->row_size;
  if (count == 0) return;
  const hsize_t first = rows_, total = rows_ + count;
  const std::string what = std::string(schema_->path) + " cannot be extended";
  check_hdf5(H5Dset_extent(dataset_.id(), &total), where_, what);
  const Hdf5Handle in_file(check_hdf5(H5Dget_space(dataset_.id()), where_, what), H5Sclose);
  check_hdf5(H5Sselect_hyperslab(in_file.id(), H5S_SELECT_SET, &first, nullptr, &count, nullptr),
             where_, what);
  const Hdf5Handle in_memory(H5Screate_simple(1, &count, nullptr), H5Sclose);
  check_hdf5(H5Dwrite(dataset_.id(), memory_type_.id(), in_memory.id(), in_file.id(), H5P_DEFAULT,
                      pending_.data()),
             where_, what);
  rows_ = total;
  pending_.clear();
}

std::vector<char> read_table(hid_t file, const TableSchema& schema, const std::string& where) {
  const std::string what = std::string("must be a metrics file with the table ") + schema.path;
  const Hdf5Handle dataset(check_hdf5(H5Dopen2(file, schema.path, H5P_DEFAULT), where, what),
                           H5Dclose);
  const Hdf5Handle stored(check_hdf5(H5Dget_type(dataset.id()), where, what), H5Tclose);
  for (const Column& c : schema.columns) {
    if (H5Tget_class(stored.id()) != H5T_COMPOUND || H5Tget_member_index(stored.id(), c.name) < 0)
      throw Error(where, what + " and its column '" + c.name + "', but has no such column");
  }
  const Hdf5Handle space(check_hdf5(H5Dget_space(dataset.id()), where, what), H5Sclose);
  const auto count =
      static_cast<std::size_t>(check_hdf5(H5Sget_simple_extent_npoints(space.id()), where, what));
  std::vector<char> rows(count * schema.row_size);
  const Hdf5Handle type = row_type(schema, false);
  if (count > 0)
    check_hdf5(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()), where,
               std::string(schema.path) + " cannot be read");
  std::size_t whole = 0;
  for (std::int64_t first = 0; whole < count; ++whole) {
    std::memcpy(&first, rows.data() + whole * schema.row_size + schema.columns[0].offset,
                sizeof first);
    if (first < 0) break;
  }
  rows.resize(whole * schema.row_size);
  return rows;
}

}  // namespace bitlab
