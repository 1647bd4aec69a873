#pragma once
// Sets of addresses: whose word about the client is taken ("trusted proxies").

#include "base/result.h"
#include "http/message.h"

#include <boost/asio/ip/address.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth::http {

class Networks {
 public:
  /// "10.0.0.0/8", "2001:db8::/32", "192.0.2.1", and "unix" for the peers of Unix sockets.
  /// Errors: parameter_invalid with a sentence.
  static Result<Networks> parse(const std::vector<std::string>& texts);

  bool empty() const { return rows_.empty() && !unix_; }
  bool contains(const boost::asio::ip::address& address) const;
  /// Of an "address:port" as http::to_text writes it.
  bool contains_peer(std::string_view peer) const;

 private:
  struct Row {
    boost::asio::ip::address_v6 base;  // IPv4 as mapped
    unsigned bits = 0;                 // of 128
  };
  std::vector<Row> rows_;
  bool unix_ = false;
};

/// The address of the client without its port: the last one in X-Forwarded-For that no trusted proxy has, if the peer
/// is trusted; else the peer's own.
std::string client_address(const Request& request, std::string_view peer, const Networks& trusted);

}  // namespace berth::http
