#include "core/io/metrics.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/rng.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

TrainRow train_row(std::int64_t step) {
  return {step, step * 512, 0.25 * static_cast<double>(step), 4.0 / static_cast<double>(step + 1),
          1e-3, 0.5};
}

EvalRow eval_row(std::int64_t step) { return {step, "val", 2.5, 0.01, 111540}; }

QuantRow quant_row(std::int64_t step, const std::string& layer) {
  return {step, layer, 0.34, 0.31, 0.35, 0.001 * static_cast<double>(step), 0.02};
}

void append_step(MetricsWriter& writer, std::int64_t step) {
  writer.append(train_row(step));
  writer.append(eval_row(step));
  writer.append(quant_row(step, "blocks.0.attn.wq.weight"));
  writer.append(quant_row(step, "blocks.0.attn.wk.weight"));
  writer.flush();
}

void check_steps(const RunMetrics& m, std::size_t steps) {
  REQUIRE(m.train.size() >= steps);
  for (std::size_t i = 0; i < m.train.size(); ++i) {
    const TrainRow want = train_row(static_cast<std::int64_t>(i));
    REQUIRE(m.train[i].step == want.step);
    REQUIRE(m.train[i].tokens == want.tokens);
    REQUIRE(m.train[i].loss == want.loss);
  }
  REQUIRE(m.quant.size() >= 2 * steps);
  for (std::size_t i = 0; i < m.quant.size(); ++i) {
    REQUIRE(m.quant[i].step == static_cast<std::int64_t>(i / 2));
    REQUIRE(m.quant[i].layer == (i % 2 ? "blocks.0.attn.wk.weight" : "blocks.0.attn.wq.weight"));
  }
}

bool have_h5py() { return std::system("/usr/bin/python3 -c 'import h5py' >/dev/null 2>&1") == 0; }

// What a notebook does: a plain h5py.File, no environment variable, no SWMR.
constexpr const char* kReadWithH5py = R"(
import sys, h5py
with h5py.File(sys.argv[1], 'r') as f:
    t, e, q = f['train'], f['eval'], f['quant']
    assert t.dtype.names == ('step', 'tokens', 'seconds', 'loss', 'lr', 'grad_norm'), t.dtype
    assert e.dtype.names == ('step', 'split', 'loss', 'stderr', 'tokens'), e.dtype
    assert q.dtype.names == ('step', 'layer', 'minus', 'zero', 'plus', 'flips', 'scale'), q.dtype
    n = int(sys.argv[2])
    assert list(t['step']) == list(range(n)), list(t['step'])
    assert t['loss'][n - 1] == 4.0 / n and t['tokens'][n - 1] == 512 * (n - 1)
    assert e['split'][0] == b'val' and e['stderr'][0] == 0.01
    assert q['layer'][1] == b'blocks.0.attn.wk.weight' and len(q) == 2 * n
    assert list(t.attrs['units'])[2] == b's' and len(q.attrs['units']) == 7, t.attrs['units']
    assert f.attrs['run'] == b'babyGPT seed 1', f.attrs['run']
)";

bool h5py_agrees(const fs::path& script, const fs::path& file, int steps) {
  const std::string command =
      "/usr/bin/python3 '" + script.string() + "' '" + file.string() + "' " + std::to_string(steps);
  return std::system(command.c_str()) == 0;
}

}  // namespace

TEST_CASE("metrics come back as they were written", "[io][metrics]") {
  const TestFolder folder;
  {
    MetricsWriter writer =
        MetricsWriter::create(folder / "metrics.h5", {{"run", "a"}, {"empty", ""}});
    for (int step = 0; step < 600; ++step) append_step(writer, step);
    writer.append(EvalRow{600, "123456789012345", 1, 2, 3});
  }  // the destructor writes what was not flushed
  const RunMetrics m = read_metrics(folder / "metrics.h5");
  CHECK(m.train.size() == 600);
  check_steps(m, 600);
  CHECK(m.eval.size() == 601);
  CHECK(m.eval[600].split == "123456789012345");
  CHECK(m.eval[600].standard_error == 2);
  CHECK(m.quant[3].flips == 0.001);
  CHECK(m.attributes == std::map<std::string, std::string>{{"run", "a"}, {"empty", ""}});
  CHECK_FALSE(fs::exists(folder / "metrics.h5.tmp"));
}

TEST_CASE("rows can be read while the writer is at work, and buffered rows cannot",
          "[io][metrics]") {
  const TestFolder folder;
  MetricsWriter writer = MetricsWriter::create(folder / "metrics.h5", {});
  CHECK(read_metrics(folder / "metrics.h5").train.empty());
  append_step(writer, 0);
  writer.append(train_row(1));
  CHECK(read_metrics(folder / "metrics.h5").train.size() == 1);
  writer.flush();
  CHECK(read_metrics(folder / "metrics.h5").train.size() == 2);
}

TEST_CASE("resuming cuts off the rows after the checkpoint and goes on", "[io][metrics]") {
  const TestFolder folder;
  const fs::path path = folder / "metrics.h5";
  {
    MetricsWriter writer = MetricsWriter::create(path, {{"run", "a"}});
    for (int step = 0; step < 20; ++step) append_step(writer, step);
  }
  {
    MetricsWriter writer = MetricsWriter::resume(path, 12);
    CHECK(read_metrics(path).train.size() == 13);
    CHECK(read_metrics(path).quant.size() == 26);
    for (int step = 13; step < 300; ++step) append_step(writer, step);
  }
  const RunMetrics m = read_metrics(path);
  CHECK(m.train.size() == 300);
  check_steps(m, 300);
  CHECK(m.attributes.at("run") == "a");
}

TEST_CASE("a file that is no metrics file is refused by name", "[io][metrics]") {
  const TestFolder folder;
  CHECK_THROWS_AS(read_metrics(folder / "absent.h5"), Error);
  std::ofstream(folder / "text.h5") << "not HDF5";
  try {
    read_metrics(folder / "text.h5");
    FAIL("was read");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("text.h5") != std::string::npos);
  }
  CHECK_THROWS_AS(MetricsWriter::resume(folder / "text.h5", 0), Error);
  CHECK(read_file(folder / "text.h5") == "not HDF5");
  CHECK_THROWS_AS(MetricsWriter::create(folder / "no" / "such" / "folder.h5", {}), Error);
}

TEST_CASE("a name that does not fit its column is refused", "[io][metrics]") {
  const TestFolder folder;
  MetricsWriter writer = MetricsWriter::create(folder / "metrics.h5", {});
  CHECK_THROWS_AS(writer.append(EvalRow{0, std::string(16, 'x'), 0, 0, 0}), Error);
  CHECK_THROWS_AS(writer.append(quant_row(0, std::string(96, 'x'))), Error);
  writer.append(quant_row(0, std::string(95, 'x')));
  writer.flush();
  CHECK(read_metrics(folder / "metrics.h5").quant.at(0).layer == std::string(95, 'x'));
}

TEST_CASE("after kill -9 at a random moment every flushed row is there", "[io][metrics]") {
  const TestFolder folder;
  const Rng rng(1, "kill moments");
  for (int trial = 0; trial < 40; ++trial) {
    const fs::path path = folder / ("killed" + std::to_string(trial) + ".h5");
    int acknowledged[2];
    REQUIRE(::pipe(acknowledged) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      MetricsWriter writer = MetricsWriter::create(path, {});
      for (std::int32_t step = 0;; ++step) {
        append_step(writer, step);
        if (::write(acknowledged[1], &step, sizeof step) != sizeof step) ::_exit(1);
      }
    }
    ::close(acknowledged[1]);
    std::int32_t flushed = -1, step = 0;
    REQUIRE(::read(acknowledged[0], &step, sizeof step) == sizeof step);
    ::usleep(static_cast<useconds_t>(rng.below(60000, 0, static_cast<std::uint64_t>(trial))));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    flushed = step;
    while (::read(acknowledged[0], &step, sizeof step) == sizeof step) flushed = step;
    ::close(acknowledged[0]);
    INFO("trial " << trial << ", steps flushed " << flushed + 1);
    check_steps(read_metrics(path), static_cast<std::size_t>(flushed) + 1);
    MetricsWriter::resume(path, flushed);
    CHECK(read_metrics(path).train.size() == static_cast<std::size_t>(flushed) + 1);
  }
}

TEST_CASE("a reader never sees a wrong row while another process writes", "[io][metrics]") {
  const TestFolder folder;
  const fs::path path = folder / "live.h5";
  MetricsWriter::create(path, {});
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    MetricsWriter writer = MetricsWriter::create(path, {});
    for (int step = 0; step < 3000; ++step) append_step(writer, step);
    writer.flush();
    ::_exit(0);
  }
  std::size_t before = 0;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    const RunMetrics m = read_metrics(path);
    check_steps(m, before);
    before = m.train.size();
  }
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(read_metrics(path).train.size() == 3000);
}

TEST_CASE("a full disk is an error, not a crash", "[io][metrics]") {
  const TestFolder folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    int code = 1;
    {
      MetricsWriter writer = MetricsWriter::create(folder / "metrics.h5", {});
      const rlimit limit{50000, 50000};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      try {
        for (int step = 0; step < 5000; ++step) append_step(writer, step);
      } catch (const Error& e) {
        code = std::string(e.what()).find("metrics.h5") == std::string::npos ? 2 : 0;
      }
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("h5py reads the file plainly, while it is written and after", "[io][metrics][python]") {
  if (!have_h5py()) {
    WARN("SKIPPED: python3-h5py is not installed, so nothing but our own reader read the file");
    return;
  }
  const TestFolder folder;
  write_file_atomic(folder / "read.py", kReadWithH5py);
  const fs::path path = folder / "metrics.h5";
  {
    MetricsWriter writer = MetricsWriter::create(path, {{"run", "babyGPT seed 1"}});
    for (int step = 0; step < 300; ++step) append_step(writer, step);
    CHECK(h5py_agrees(folder / "read.py", path, 300));
    append_step(writer, 300);
    CHECK(h5py_agrees(folder / "read.py", path, 301));
  }
  CHECK(h5py_agrees(folder / "read.py", path, 301));
}

TEST_CASE("scores and predictions are there only of runs that have some, and are cut back too",
          "[metrics][classification]") {
  const TestFolder folder;
  const fs::path path = folder / "metrics.h5";
  {
    MetricsWriter writer = MetricsWriter::create(path, {});
    writer.append(train_row(0));
  }
  CHECK(read_metrics(path).scores.empty());
  CHECK(read_metrics(path).predictions.empty());
  {
    MetricsWriter writer = MetricsWriter::create(path, {});
    for (std::int64_t step = 0; step < 4; ++step) {
      writer.append(ScoreRow{step, "val", 0.5 + 0.1 * double(step), 0.4, 0.03});
      writer.append(PredictionRow{step, 10 + step, 1, step % 2, 0.75, 0.25});
    }
  }
  const RunMetrics all = read_metrics(path);
  REQUIRE(all.scores.size() == 4);
  CHECK(all.scores[3].split == "val");
  CHECK(all.scores[3].accuracy == Approx(0.8));
  CHECK(all.scores[3].calibration_error == 0.03);
  REQUIRE(all.predictions.size() == 4);
  CHECK(all.predictions[2].text == 12);
  CHECK(all.predictions[3].predicted == 1);
  CHECK(all.predictions[3].probability == 0.75);
  { MetricsWriter writer = MetricsWriter::resume(path, 1); }
  CHECK(read_metrics(path).scores.size() == 2);
  CHECK(read_metrics(path).predictions.size() == 2);
}
