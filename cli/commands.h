#pragma once
// The verbs of `bitlab`. Each takes what stands after its name and returns the exit code: 0 all is
// well, 1 a run (or a check) failed, 130 or 143 stopped by a signal. A wrong request is a
// UsageError.
#include <string>
#include <vector>

namespace bitlab {

int run_command(const std::vector<std::string>& args);         // run.cpp
int list_command(const std::vector<std::string>& args);        // list.cpp
int config_command(const std::vector<std::string>& args);      // config.cpp
int plan_command(const std::vector<std::string>& args);        // plan.cpp
int check_command(const std::vector<std::string>& args);       // check.cpp
int plugins_command(const std::vector<std::string>& args);     // plugins.cpp
int data_command(const std::vector<std::string>& args);        // data.cpp
int worker_command(const std::vector<std::string>& args);      // worker.cpp, started by run
int ls_command(const std::vector<std::string>& args);          // ls.cpp
int compare_command(const std::vector<std::string>& args);     // compare.cpp
int status_command(const std::vector<std::string>& args);      // status.cpp
int show_command(const std::vector<std::string>& args);        // show.cpp
int diff_command(const std::vector<std::string>& args);        // diff.cpp
int export_command(const std::vector<std::string>& args);      // export.cpp
int clean_command(const std::vector<std::string>& args);       // clean.cpp
int table_command(const std::vector<std::string>& args);       // table.cpp
int plot_command(const std::vector<std::string>& args);        // plot.cpp
int serve_command(const std::vector<std::string>& args);       // serve.cpp
int report_command(const std::vector<std::string>& args);      // report.cpp
int claims_command(const std::vector<std::string>& args);      // claims.cpp
int rerun_command(const std::vector<std::string>& args);       // rerun.cpp
int generate_command(const std::vector<std::string>& args);    // generate.cpp
int eval_command(const std::vector<std::string>& args);        // eval.cpp
int classify_command(const std::vector<std::string>& args);    // classify.cpp
int import_command(const std::vector<std::string>& args);      // import.cpp
int verify_command(const std::vector<std::string>& args);      // verify.cpp
int bench_command(const std::vector<std::string>& args);       // bench.cpp
int tokenize_command(const std::vector<std::string>& args);    // tokenize.cpp
int detokenize_command(const std::vector<std::string>& args);  // tokenize.cpp

// Asked by shells and by the build.
int completion_command(const std::vector<std::string>& args);  // completion.cpp
int complete_command(const std::vector<std::string>& args);    // completion.cpp
int man_command(const std::vector<std::string>& args);         // man_page.cpp

}  // namespace bitlab
