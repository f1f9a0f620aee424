#include "core/io/download.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/io/test_folder.h"
#include "core/io/test_server.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

std::string some_content() {
  std::string content;
  for (int i = 0; i < 40000; ++i) content += static_cast<char>((i * 7919) >> 3);
  return content;
}
const std::string kContent = some_content();

Download request_for(const std::string& url, const fs::path& target) {
  Download request{url, target, sha256_hex(kContent), kContent.size()};
  request.first_pause = 0.001;
  return request;
}

std::string refusal(const Download& request) {
  try {
    download(request);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a download arrives whole, with progress", "[io][download]") {
  const TestFolder folder;
  TestServer server(
      [](std::size_t, const std::string& head) { return http_range(kContent, head); });
  std::uint64_t last = 0, total = 0;
  download(request_for(server.url("/x"), folder / "x"), [&](std::uint64_t done, std::uint64_t all) {
    CHECK(done >= last);
    last = done;
    total = all;
  });
  CHECK(read_file(folder / "x") == kContent);
  CHECK(last == kContent.size());
  CHECK(total == kContent.size());
  CHECK_FALSE(fs::exists(folder / "x.part"));
}

TEST_CASE("a download that breaks off goes on where it stopped", "[io][download]") {
  const TestFolder folder;
  TestServer server([](std::size_t number, const std::string& head) {
    return http_range(kContent, head, number < 2 ? 9000 : std::string::npos);
  });
  download(request_for(server.url("/x"), folder / "x"));
  CHECK(read_file(folder / "x") == kContent);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(range_start(requests[0]) == 0);
  CHECK(range_start(requests[1]) == 9000);
  CHECK(range_start(requests[2]) == 18000);
}

TEST_CASE("a part of an earlier call is used, and a wrong part is thrown away", "[io][download]") {
  const TestFolder folder;
  TestServer server(
      [](std::size_t, const std::string& head) { return http_range(kContent, head); });
  std::ofstream(folder / "good.part", std::ios::binary) << kContent.substr(0, 12345);
  download(request_for(server.url("/x"), folder / "good"));
  CHECK(read_file(folder / "good") == kContent);
  CHECK(range_start(server.requests().at(0)) == 12345);

  std::ofstream(folder / "bad.part", std::ios::binary) << std::string(12345, '?');
  download(request_for(server.url("/x"), folder / "bad"));
  CHECK(read_file(folder / "bad") == kContent);

  std::ofstream(folder / "long.part", std::ios::binary) << kContent << "more";
  download(request_for(server.url("/x"), folder / "long"));
  CHECK(read_file(folder / "long") == kContent);

  std::ofstream(folder / "whole.part", std::ios::binary) << kContent;
  const std::size_t before = server.requests().size();
  download(request_for(server.url("/x"), folder / "whole"));
  CHECK(read_file(folder / "whole") == kContent);
  CHECK(server.requests().size() == before);
}

TEST_CASE("a server without ranges is asked for the whole file", "[io][download]") {
  const TestFolder folder;
  std::ofstream(folder / "x.part", std::ios::binary) << kContent.substr(0, 100);
  TestServer server([](std::size_t, const std::string&) { return http("200 OK", kContent); });
  download(request_for(server.url("/x"), folder / "x"));
  CHECK(read_file(folder / "x") == kContent);
}

TEST_CASE("redirects are followed and busy servers asked again", "[io][download]") {
  const TestFolder folder;
  TestServer server([](std::size_t number, const std::string& head) {
    if (number == 0) return http("503 Service Unavailable", "later");
    if (number == 1) return http("302 Found", "", "Location: /elsewhere\r\n");
    return http_range(kContent, head);
  });
  download(request_for(server.url("/x"), folder / "x"));
  CHECK(read_file(folder / "x") == kContent);
  CHECK(server.requests().at(2).find("GET /elsewhere") == 0);
}

TEST_CASE("what cannot be downloaded is refused with the reason", "[io][download]") {
  const TestFolder folder;
  const fs::path target = folder / "x";
  SECTION("404 is not tried again") {
    TestServer server([](std::size_t, const std::string&) { return http("404 Not Found", "no"); });
    CHECK(says(refusal(request_for(server.url("/x"), target)), "404"));
    CHECK(server.requests().size() == 1);
  }
  SECTION("the wrong content of the right size") {
    TestServer server([](std::size_t, const std::string& head) {
      return http_range(std::string(kContent.size(), 'w'), head);
    });
    const std::string message = refusal(request_for(server.url("/x"), target));
    CHECK(says(message, "must have sha256 " + sha256_hex(kContent)));
    CHECK(says(message, sha256_hex(std::string(kContent.size(), 'w'))));
    CHECK_FALSE(fs::exists(target.string() + ".part"));
  }
  SECTION("too short") {
    TestServer server([](std::size_t, const std::string&) { return http("200 OK", "short"); });
    CHECK_FALSE(refusal(request_for(server.url("/x"), target)).empty());
  }
  SECTION("too long") {
    TestServer server(
        [](std::size_t, const std::string&) { return http("200 OK", kContent + "x"); });
    CHECK(says(refusal(request_for(server.url("/x"), target)), "more bytes"));
  }
  SECTION("it always breaks off") {
    TestServer server(
        [](std::size_t, const std::string& head) { return http_range(kContent, head, 1000); });
    const std::string message = refusal(request_for(server.url("/x"), target));
    CHECK(says(message, "4 attempts"));
    CHECK(server.requests().size() == 4);
    CHECK(fs::file_size(target.string() + ".part") == 4000);
  }
  SECTION("nobody listens") {
    CHECK(says(refusal(request_for("http://127.0.0.1:1/x", target)), "check the network"));
  }
  SECTION("another protocol") {
    CHECK_FALSE(refusal(request_for("gopher://127.0.0.1/x", target)).empty());
  }
  CHECK_FALSE(fs::exists(target));
}

TEST_CASE("file URLs work like any other", "[io][download]") {
  const TestFolder folder;
  std::ofstream(folder / "source", std::ios::binary) << kContent;
  const std::string url = "file://" + (folder / "source").string();
  std::ofstream(folder / "x.part", std::ios::binary) << kContent.substr(0, 777);
  download(request_for(url, folder / "x"));
  CHECK(read_file(folder / "x") == kContent);
  CHECK(says(refusal(request_for("file://" + (folder / "absent").string(), folder / "y")),
             "cannot be downloaded"));
}

TEST_CASE("a full disk is named, and the part stays for the next call", "[io][download]") {
  const TestFolder folder;
  std::ofstream(folder / "source", std::ios::binary) << kContent;
  const Download request = request_for("file://" + (folder / "source").string(), folder / "x");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20000, 20000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = refusal(request);
    ::_exit(says(message, "cannot be written") && says(message, "free some disk space") ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(fs::file_size(folder / "x.part") == 20000);
  download(request);
  CHECK(read_file(folder / "x") == kContent);
}

TEST_CASE("two processes that want one file fetch it once", "[io][download]") {
  const TestFolder folder;
  TestServer server([](std::size_t, const std::string& head) {
    ::usleep(200000);
    return http_range(kContent, head);
  });
  const Download request = request_for(server.url("/x"), folder / "x");
  std::thread other([&] { download(request); });
  download(request);
  other.join();
  CHECK(read_file(folder / "x") == kContent);
  CHECK(server.requests().size() == 1);
}
