#pragma once
// A table in an HDF5 file: a chunked, extendible 1-D compound dataset. For .cpp files only.
#include <cstddef>
#include <string>
#include <vector>

#include "core/io/hdf5_handles.h"

namespace bitlab {

enum class Kind { Integer, Number, Text };  // int64, double, fixed-length UTF-8

struct Column {
  const char* name;
  Kind kind;
  std::size_t offset;  // in the row
  const char* unit;
  std::size_t size = 8;  // bytes
};

// The first column must be an integer that is never negative.
struct TableSchema {
  const char* path;
  std::size_t row_size;
  std::vector<Column> columns;
};

// Access with file locking off: a notebook that holds the file open must never block who writes it.
Hdf5Handle unlocked_access();

// A text attribute of a file or a dataset: one value, or a list of values.
void write_attribute(hid_t object,
                     const std::string& name,
                     const std::vector<std::string>& values,
                     bool is_list,
                     const std::string& where);

// Adds rows to a table that it creates, with the units of the columns as its attribute `units`.
class TableWriter {
 public:
  TableWriter(hid_t file, const TableSchema& schema, const std::string& where);
  void append(const void* row);  // kept in memory until write()
  void write();                  // throws Error; flushing the file is up to the caller

 private:
  const TableSchema* schema_;
  std::string where_;
  Hdf5Handle memory_type_;
  Hdf5Handle dataset_;
  hsize_t rows_ = 0;
  std::vector<char> pending_;
};

// The bytes of all rows up to the first that did not reach the file. Throws Error if the table or
// one of its columns is missing.
std::vector<char> read_table(hid_t file, const TableSchema& schema, const std::string& where);

}  // namespace bitlab
