// Loading plugins, training with what they add, and what is wrong with broken ones.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/sha256.h"
#include "experiments/dataset.h"
#include "experiments/planning.h"
#include "experiments/plugin.h"
#include "experiments/plugin_loader.h"
#include "experiments/run_folder.h"
#include "experiments/test_runs.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

fs::path plugin_file(const std::string& name) {
  const char* folder = std::getenv("BITLAB_TEST_PLUGINS");
  REQUIRE(folder != nullptr);
  return fs::path(folder) / ("lib" + name + ".so");
}

std::string refusal(const fs::path& file) {
  try {
    load_plugin(file);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A small run on what the plugin `every-kind` brings; `more` are further lines.
std::string plugin_config(const std::string& more = "") {
  return "plugins = [\"" + plugin_file("every_kind").string() + "\"]\n" + more + R"(
[data]
sources = ["letters"]
letters.count = 6000
tokenizer = "bytes"
[model]
name = "bigram"
[optim]
name = "lion"
lr = 3e-3
[train]
steps = 120
batch_size = 8
log_every = 10
checkpoint_every = 40
[eval]
every = 60
[task]
name = "echo"
)";
}

fs::path write_experiment(const TestFolder& folder, const std::string& text) {
  const fs::path file = folder / "x.toml";
  write_file_atomic(file, text);
  return file;
}

std::string id_of(const TestFolder& folder, const std::string& text) {
  const Experiment experiment = load_experiment(write_experiment(folder, text).string(), {}, "/");
  return arm_hash(experiment.arms.front(), {"letters", "00", 1, 1, 1, 1, "byte"});
}

std::string loading_error(const fs::path& file) {
  try {
    load_experiment(file.string(), {}, "/");
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

std::string planning_error(const TestFolder& folder, const std::string& text) {
  try {
    const Experiment experiment = load_experiment(write_experiment(folder, text).string(), {}, "/");
    make_plan(experiment, open_dataset(experiment.spec().data), folder / "results", "test");
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("broken plugins are refused with the reason, and leave nothing behind", "[plugins]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"other_abi", "but was built for another (00000000, g++ 3, libfoo, half)"},
      {"no_entry", "must have the symbol bitlab_plugin, but has not"},
      {"throws", "its entry point threw: no luck today"},
      {"throws_int", "its entry point threw something that is no std::exception"},
      {"duplicate", "there is a weight quantiser absmean already"},
      {"no_function", "make must be set, but is not"},
      {"settings_throw", "fields() of its settings threw: fields are out"},
      {"not_there", "there is no such file"}};
  const std::size_t before = loaded_plugins().size();
  for (const auto& [name, reason] : cases) {
    const std::string message = refusal(plugin_file(name));
    INFO(name << ": " << message);
    CHECK(says(message, reason));
    CHECK(says(message, plugin_file(name).string()));
  }
  CHECK(loaded_plugins().size() == before);
  CHECK_FALSE(weight_quantizers().contains("left_over"));

  const TestFolder folder;
  write_file_atomic(folder / "text.so", "this is no library");
  CHECK(says(refusal(folder / "text.so"), "the file has no bitlab_plugin_info"));
  const std::string damaged = read_file(plugin_file("every_kind")).substr(0, 20000);
  const std::string abi = BITLAB_PLUGIN_ABI;
  write_file_atomic(folder / "half.so", damaged + abi + std::string(1, '\0'));
  CHECK(says(refusal(folder / "half.so"), "is cut short or is none"));
  write_file_atomic(folder / "none.so", "no ELF, but " + abi + std::string(1, '\0'));
  CHECK(says(refusal(folder / "none.so"), "is cut short or is none"));
  CHECK(says(refusal(folder.path()), "there is no such file"));
}

TEST_CASE("a plugin's entries are listed with their origin, and loading again changes nothing",
          "[plugins]") {
  const PluginLibrary& plugin = load_plugin(plugin_file("every_kind"));
  CHECK(plugin.name == "every-kind");
  CHECK(plugin.version == 3);
  CHECK(plugin.sha256 == sha256_file(plugin_file("every_kind")));
  const std::size_t count = loaded_plugins().size();
  CHECK(&load_plugin(plugin_file("every_kind")) == &plugin);
  CHECK(loaded_plugins().size() == count);
  std::size_t theirs = 0;
  for (const AnyRegistry* registry : registries())
    for (const EntryInfo& entry : registry->list())
      if (entry.origin.plugin == "every-kind") {
        ++theirs;
        CHECK(entry.origin.version == 3);
        CHECK(entry.origin.library == plugin.file.string());
      }
  CHECK(theirs == registries().size());  // one of each kind
  CHECK(says(refusal(plugin_file("same_name")), "is called 'every-kind' too"));
}

TEST_CASE("a plugin's parts train a run, resume it to the bit, and are recorded", "[plugins]") {
  const TestFolder folder;
  const std::string config = plugin_config("observers = [\"steps\"]\n");
  const fs::path calm = make_run(folder, "calm", config);
  REQUIRE(wait_for(start_worker(calm, 1)) == 0);
  const RunMetrics metrics = read_metrics(calm / "metrics.h5");
  CHECK(metrics.eval.front().loss > 5);   // log 256 = 5.5
  CHECK(metrics.eval.back().loss < 2.5);  // the token itself is easy
  CHECK(metrics.train.front().lr == 3e-3);
  std::ifstream steps(calm / "steps.txt");
  std::string all((std::istreambuf_iterator<char>(steps)), {});
  CHECK(all.starts_with("10\n20\n"));
  const auto provenance = nlohmann::json::parse(read_file(calm / "provenance.json"));
  REQUIRE(provenance.at("plugins").size() == 1);
  CHECK(provenance.at("plugins")[0].at("name") == "every-kind");
  CHECK(provenance.at("plugins")[0].at("sha256") == sha256_file(plugin_file("every_kind")));

  const fs::path stopped = make_run(folder, "stopped", config);
  while (!RunFolder(stopped).done()) {
    const std::size_t known = list_checkpoints(stopped).size();
    const pid_t pid = start_worker(stopped, 1);
    while (list_checkpoints(stopped).size() == known && !RunFolder(stopped).done()) ::usleep(500);
    ::kill(pid, SIGTERM);
    wait_for(pid);
  }
  CHECK(final_weights(stopped) == final_weights(calm));
  CHECK(metrics_text(stopped) == metrics_text(calm));
}

TEST_CASE("settings of a plugin's own are read, checked, listed and hashed", "[plugins]") {
  const TestFolder folder;
  const std::string base = plugin_config();
  const std::string id = id_of(folder, base);
  CHECK(id == id_of(folder, base));
  CHECK(id != id_of(folder, base + "[optim.lion]\nbeta = 0.9\n"));
  const fs::path file = write_experiment(folder, base + "[optim.lion]\nbeta = 0.9\n");
  const Experiment experiment = load_experiment(file.string(), {}, "/");
  const std::string frozen = run_config(experiment.arms.front());
  CHECK(says(frozen, "[optim.lion]\nbeta = 0.9"));
  write_file_atomic(folder / "config.toml", frozen);
  Spec again = load_run_spec(folder / "config.toml");
  CHECK(canonical_text(list_fields(again)) == canonical_text(experiment.arms.front().fields));
  CHECK(again.plugins == std::vector<std::string>{plugin_file("every_kind").string()});

  write_experiment(folder, base + "[optim.lion]\nbeta = 2.0\n");
  CHECK(says(loading_error(file), "between 0 and 1"));
  write_experiment(folder, base + "[optim.lion]\nbeat = 0.5\n");
  CHECK(says(loading_error(file), "optim.lion.beta"));
}

TEST_CASE("versions of plugins enter the ids of the runs that use them, and of no others",
          "[plugins]") {
  const TestFolder folder;
  const std::string named = "plugins = [\"" + plugin_file("every_kind").string() + "\"]\n";
  const std::string plain = "[model]\nn_layer = 1\n";
  CHECK(id_of(folder, named + plain) == id_of(folder, plain));
  CHECK(id_of(folder, named + "observers = [\"steps\"]\n" + plain) != id_of(folder, plain));

  const fs::path file = write_experiment(folder, plugin_config());
  const Experiment experiment = load_experiment(file.string(), {}, "/");
  const auto used = used_entries(experiment.arms.front().fields, "letters");
  const std::string text = used_versions(used);
  INFO(text);
  CHECK(says(text, "model bigram version=2 of plugin every-kind 3\n"));
  for (const char* entry : {"optimizer lion", "data source letters", "tokenizer bytes", "task echo",
                            "norm none_at_all"})
    CHECK(says(text, std::string(entry) + " version=1 of plugin every-kind 3\n"));
  CHECK_FALSE(says(text, "schedule"));
  CHECK(used_libraries(used).size() == 1);
}

TEST_CASE("a plugin is found beside the file that names it, and told where it is named wrongly",
          "[plugins]") {
  const TestFolder folder;
  fs::create_directories(folder / "lib");
  fs::copy_file(plugin_file("factory_throws"), folder / "lib/mine.so");
  write_file_atomic(folder / "base.toml", "plugins = [\"lib/mine.so\"]\n");
  const fs::path file = write_experiment(folder, "extends = [\"base.toml\"]\n");
  const Experiment experiment = load_experiment(file.string(), {}, "/");
  CHECK(experiment.spec().plugins.front() == fs::canonical(folder / "lib/mine.so").string());

  write_experiment(folder, "\nplugins = [\"lib/none.so\", \"lib\"]\n");
  try {
    load_experiment(file.string(), {}, folder.path());
    FAIL("neither is a plugin");
  } catch (const UsageError& e) {
    const std::string text = e.what();
    CHECK(says(text, "x.toml:2:12: "));
    CHECK(says(text, "x.toml:2:27: "));
  }
  write_experiment(folder, "[arms.a]\nplugins = [\"lib/mine.so\"]\n");
  CHECK(says(loading_error(file), "must not set plugins"));
}

TEST_CASE("a factory that throws or makes nothing is told before anything runs", "[plugins]") {
  const TestFolder folder;
  for (const auto& [name, reason] : {std::pair<std::string, std::string>{
                                         "factory_throws", "make threw: the factory is on strike"},
                                     {"null", "make must make something, but returned nothing"}}) {
    // The other test case may have loaded it from elsewhere under the same name.
    const bool loaded = optimizers().contains(name);
    const std::string error = planning_error(
        folder, (loaded ? "" : "plugins = [\"" + plugin_file(name).string() + "\"]\n") +
                    "[data]\nsources = [\"synthetic-plays\"]\n[optim]\nname = \"" + name + "\"\n");
    INFO(error);
    CHECK(says(error, "plugin " + name + ", optimizer " + name + "] " + reason));
  }
  CHECK_FALSE(fs::exists(folder / "results"));
}

TEST_CASE("a plugin that throws or crashes in a run costs that run only", "[plugins]") {
  const TestFolder folder;
  const fs::path good = make_run(folder, "good", plugin_config());
  REQUIRE(wait_for(start_worker(good, 1)) == 0);
  for (const std::string name : {"throw_in_run", "crash_in_run"}) {
    const fs::path bad = make_run(folder, name,
                                  "plugins = [\"" + plugin_file(name).string() + "\"]\n" +
                                      small_config() + "[optim.adamw]\n");
    std::string text = read_file(bad / "config.toml");
    text.replace(text.find("[optim]\n"), 8, "[optim]\nname = \"" + name + "\"\n");
    text.erase(text.find("[optim.adamw]\n"));
    write_file_atomic(bad / "config.toml", text);
    const int code = wait_for(start_worker(bad, 1));
    INFO(name);
    CHECK_FALSE(RunFolder(bad).done());
    if (name == "throw_in_run") {
      CHECK(code == 1);
      CHECK(RunFolder(bad).status().state == RunState::Failed);
      CHECK(RunFolder(bad).status().reason == "the third step is too much");
    } else {
      CHECK(code > 128);
    }
  }
  CHECK(RunFolder(good).done());
}
