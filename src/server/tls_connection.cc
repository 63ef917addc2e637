#include "server/connection.h"

namespace holdfast::server {

void serve_tls(Tcp::socket socket, asio::ssl::context& tls, ConnectionShared& shared, Peer peer) {
  using Stream = beast::ssl_stream<beast::tcp_stream>;
  start_connection(std::make_shared<Connection<Stream>>(Stream(beast::tcp_stream(std::move(socket)), tls),
                                                        shared, std::move(peer)));
}

}  // namespace holdfast::server
