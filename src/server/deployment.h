#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "gateway/gateway.h"
#include "govern/facts.h"
#include "model/engine_pool.h"
#include "server/installation.h"
#include "server/listener.h"
#include "server/meters.h"
#include "server/watch.h"

namespace holdfast::server {

// What serves: the engines of the releases in force, and the gateway over them. A release loads the version
// first, then is recorded, then takes over; requests that are under way end on the version that they began
// with. Thread-safe.
class Deployment {
 public:
  Deployment(Installation& installation, const WatchOptions& watch);
  ~Deployment();

  // Loads every release in force, once, at the start. A release that can't be loaded is logged and not
  // served: the others are.
  base::Result<> restore();

  base::Result<release::Release> release(const access::Authorised& authorised,
                                         const release::Endpoint& endpoint, const registry::Version& version);
  base::Result<release::Release> rollback(const access::Authorised& authorised,
                                          const release::Endpoint& endpoint,
                                          const registry::Version& version);

  // What serves goes on with the new settings: requests that are under way end with those that they began
  // with. kInvalidArgument, and nothing is changed, where the served version can't be guarded so.
  base::Result<release::Endpoint> change(const access::Authorised& authorised,
                                         const release::Endpoint& endpoint,
                                         const release::EndpointSettings& wanted);
  // Serves nothing at the endpoint from now on; what is under way is answered.
  base::Result<release::Release> withdraw(const access::Authorised& authorised,
                                          const release::Endpoint& endpoint);
  // kConflict while it serves.
  base::Result<> remove(const access::Authorised& authorised, const std::string& endpoint);

  [[nodiscard]] gateway::Gateway& gateway() { return *gateway_; }
  [[nodiscard]] Watch& watch() { return watch_; }
  [[nodiscard]] Meters& meters() { return meters_; }

  // Whether the log takes records, as it was last looked at: without it no inference is answered.
  void set_recording(bool recording) { recording_ = recording; }
  [[nodiscard]] bool recording() const { return recording_; }

  // The engines of what each endpoint serves, as they are at this moment.
  [[nodiscard]] std::vector<govern::EngineFacts> engines();

  // What the listener counts, once there is one.
  void observe(std::string address, bool is_private, std::shared_ptr<const ConnectionCounts> counts);
  // Writes into the log what was only counted since the last time: the listener's connections, and refused
  // requests, of those windows that have ended or of all.
  enum class Counts { kEnded, kAll };
  base::Result<> record_counts(Counts which);

 private:
  // One version, loaded and ready.
  struct Loaded {
    std::shared_ptr<model::EnginePool> pool;
    std::shared_ptr<const gateway::Guard> guard;
    std::shared_ptr<const monitor::Reference> reference;  // null: the model's requirements name no dataset
  };
  class AuditSink;
  base::Result<Loaded> load(const registry::Version& version, const release::EndpointSettings& settings);
  // Puts in force what `served` says of all endpoints.
  base::Result<> swap(std::map<std::string, gateway::Endpoint> served) HF_REQUIRES(mutex_);
  base::Result<> serve(const release::Endpoint& endpoint, const registry::Version& version, Loaded loaded,
                       std::int64_t serial) HF_REQUIRES(mutex_);
  base::Result<release::Release> bind(const access::Authorised& authorised, const release::Endpoint& endpoint,
                                      const registry::Version& version, release::ReleaseKind kind);

  // Who listens where, and how much of its counts is in the log.
  struct Channel {
    std::string address;
    bool is_private = false;
    std::shared_ptr<const ConnectionCounts> counts;  // null: nobody listens
    std::uint64_t tls13 = 0;
    std::uint64_t old_version_refused = 0;
    std::uint64_t plaintext_refused = 0;
  };
  base::Result<> record_connections();

  Installation* installation_;
  std::unique_ptr<AuditSink> audit_;
  Meters meters_;
  Watch watch_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::atomic<bool> recording_ = true;
  base::Mutex counting_;
  Channel channel_ HF_GUARDED_BY(counting_);
  base::Mutex mutex_;  // one release at a time
  std::map<std::string, gateway::Endpoint> endpoints_ HF_GUARDED_BY(mutex_);
  base::Mutex pools_mutex_;  // of its own, since a release takes long
  std::map<std::string, std::shared_ptr<model::EnginePool>> pools_
      HF_GUARDED_BY(pools_mutex_);  // by endpoint
};

}  // namespace holdfast::server
