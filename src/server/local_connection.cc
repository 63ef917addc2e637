#include "server/connection.h"

namespace holdfast::server {

void serve_local(Local::socket socket, ConnectionShared& shared, Peer peer) {
  using Stream = beast::basic_stream<Local>;
  start_connection(std::make_shared<Connection<Stream>>(Stream(std::move(socket)), shared, std::move(peer)));
}

}  // namespace holdfast::server
