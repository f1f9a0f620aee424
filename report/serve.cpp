#include "report/serve.h"

#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>

#include "core/base/error.h"
#include "report/live.h"

namespace bitlab {

namespace {

constexpr const char* kAddress = "127.0.0.1";
constexpr const char* kHtml = "text/html; charset=utf-8";
constexpr const char* kJson = "application/json; charset=utf-8";

void refuse(httplib::Response& response, int status, const std::string& why) {
  response.status = status;
  response.set_content(why + "\n", "text/plain; charset=utf-8");
}

bool is_this_server(const std::string& host, int port) {
  const std::string end = ":" + std::to_string(port);
  return host == kAddress + end || host == "localhost" + end;
}

// A second server must not be able to share the port, as httplib's own options would let it.
void no_sharing(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

void answer_update(const httplib::Request& request,
                   const Snapshot& snapshot,
                   httplib::Response& response) {
  response.set_header("ETag", snapshot.tag);
  if (request.get_header_value("If-None-Match") == snapshot.tag)
    response.status = 304;
  else
    response.set_content(snapshot.text, kJson);
}

}  // namespace

struct ResultsServer::Impl {
  explicit Impl(const std::filesystem::path& results_root) : live(results_root) {}

  LiveResults live;
  httplib::Server server;
  std::thread thread;
  int port = 0;

  void guard();
  void add_pages();
};

void ResultsServer::Impl::guard() {
  server.set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (!is_this_server(request.get_header_value("Host"), port)) {
          refuse(response, 403, "This server answers to its own name only.");
          return httplib::Server::HandlerResponse::Handled;
        }
        if (request.method != "GET" && request.method != "HEAD") {
          response.set_header("Allow", "GET, HEAD");
          refuse(response, 405, "This server only shows; nothing can be changed here.");
          return httplib::Server::HandlerResponse::Handled;
        }
        return httplib::Server::HandlerResponse::Unhandled;
      });
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"Content-Security-Policy", "frame-ancestors 'none'"},
                              {"Cross-Origin-Resource-Policy", "same-origin"},
                              {"Referrer-Policy", "no-referrer"},
                              {"X-Content-Type-Options", "nosniff"}});
  server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.body.empty() && response.status == 404) refuse(response, 404, "Nothing here.");
  });
  server.set_exception_handler(
      [](const httplib::Request&, httplib::Response& response, std::exception_ptr problem) {
        try {
          std::rethrow_exception(problem);
        } catch (const std::exception& e) {
          refuse(response, 500, e.what());
        }
      });
  // A connection a request: what is left of a refused body cannot pass for the next request.
  server.set_keep_alive_max_count(1);
  server.set_socket_options(no_sharing);
}

void ResultsServer::Impl::add_pages() {
  server.Get("/", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(live.index_page(), kHtml);
  });
  server.Get("/api/experiments",
             [this](const httplib::Request& request, httplib::Response& response) {
               answer_update(request, live.index_update(), response);
             });
  server.Get("/experiments/([^/]+)",
             [this](const httplib::Request& request, httplib::Response& response) {
               if (const auto page = live.experiment_page(request.matches[1]))
                 response.set_content(*page, kHtml);
               else
                 refuse(response, 404, "There is no such experiment.");
             });
  server.Get("/api/experiments/([^/]+)",
             [this](const httplib::Request& request, httplib::Response& response) {
               if (const auto update = live.experiment_update(request.matches[1]))
                 answer_update(request, *update, response);
               else
                 refuse(response, 404, "There is no such experiment.");
             });
}

ResultsServer::ResultsServer(const std::filesystem::path& results_root, int port)
    : impl_(std::make_unique<Impl>(results_root)) {
  impl_->guard();
  impl_->add_pages();
  if (port == 0)
    impl_->port = impl_->server.bind_to_any_port(kAddress);
  else if (impl_->server.bind_to_port(kAddress, port))
    impl_->port = port;
  if (impl_->port <= 0)
    throw UsageError("bitlab serve",
                     "the port must be free and allowed, but " + std::to_string(port) + " is not",
                     "--port 0 takes any that is free");
  impl_->thread = std::thread([this] { impl_->server.listen_after_bind(); });
  // stop() does nothing to a server that does not listen yet, and then the thread would never end.
  while (!impl_->server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

ResultsServer::~ResultsServer() {
  impl_->server.stop();
  impl_->thread.join();
}

int ResultsServer::port() const { return impl_->port; }

}  // namespace bitlab
