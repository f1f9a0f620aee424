#pragma once
// A visitor that knows the dotted path of what it visits.
#include <string>

#include "core/config/fields.h"
#include "core/config/settings.h"

namespace bitlab {

class PathVisitor : public FieldVisitor {
 public:
  void begin(const std::string& name, const std::string&) override { table_ = path(name); }
  void end() override { table_ = table_of(table_); }

 protected:
  const std::string& table() const { return table_; }
  std::string path(const std::string& name) const { return join_path(table_, name); }

 private:
  std::string table_;
};

}  // namespace bitlab
