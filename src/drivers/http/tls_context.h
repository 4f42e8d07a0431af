// Private to this room: what a TlsContext is.
#pragma once

#include <boost/asio/ssl/context.hpp>

namespace grapnel::http {

class TlsContext {
 public:
  explicit TlsContext(boost::asio::ssl::context::method method) : context(method) {}

  mutable boost::asio::ssl::context context;  // Asio takes it mutable and only reads
};

}  // namespace grapnel::http
