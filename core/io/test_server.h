#pragma once
// A web server on 127.0.0.1 that answers as a test tells it to. Tests only.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace bitlab {

class TestServer {
 public:
  // `respond` gets the number of the request and its head, and returns all bytes to send before
  // closing.
  using Respond = std::function<std::string(std::size_t, const std::string&)>;

  explicit TestServer(Respond respond) : respond_(std::move(respond)) {
    ::setenv("no_proxy", "127.0.0.1", 1);
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, generic, &size) != 0)
      throw Error("test server", "127.0.0.1 must accept a server, but does not");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TestServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (int client; (client = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(client)) {
      std::string head;
      char buffer[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(client, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        head.append(buffer, static_cast<std::size_t>(n));
      }
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = requests_.size();
        requests_.push_back(head);
      }
      const std::string answer = respond_(number, head);
      for (std::size_t sent = 0; sent < answer.size();) {
        const ssize_t n = ::send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
    }
  }

  Respond respond_;
  int socket_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// A whole answer, or with `send` < the body's size one that breaks off.
inline std::string http(const std::string& status,
                        const std::string& body,
                        const std::string& headers = "",
                        std::size_t send = std::string::npos) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "Connection: close\r\n\r\n" + body.substr(0, send);
}

// The first byte that the request asks for.
inline std::size_t range_start(const std::string& head) {
  const auto at = head.find("Range: bytes=");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 13));
}

// What a server that supports ranges answers.
inline std::string http_range(const std::string& content,
                              const std::string& head,
                              std::size_t send = std::string::npos) {
  const std::size_t start = range_start(head);
  if (start == 0) return http("200 OK", content, "", send);
  const std::string range = "Content-Range: bytes " + std::to_string(start) + "-" +
                            std::to_string(content.size() - 1) + "/" +
                            std::to_string(content.size()) + "\r\n";
  return http("206 Partial Content", content.substr(start), range, send);
}

}  // namespace bitlab
