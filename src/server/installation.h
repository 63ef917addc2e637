#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/access.h"
#include "alerts/alerts.h"
#include "alerts/delivery.h"
#include "audit/log.h"
#include "audit/row_history.h"
#include "base/result.h"
#include "keys/key_store.h"
#include "net/http.h"
#include "registry/datasets.h"
#include "registry/evidence.h"
#include "registry/gates.h"
#include "registry/models.h"
#include "registry/requirements.h"
#include "registry/run_queue.h"
#include "registry/run_workers.h"
#include "registry/runs.h"
#include "registry/trials.h"
#include "release/releases.h"
#include "store/blobs.h"
#include "store/database.h"
#include "store/folder_lock.h"
#include "store/outbox.h"
#include "updates/state.h"

namespace holdfast::server {

struct InstallationOptions {
  std::filesystem::path state;
  std::string version;                // of this program
  std::filesystem::path master_file;  // where the master key lies; empty where it is no file of ours
  std::string issuer = "holdfast";    // what a service's assertion has as its audience
  std::chrono::seconds one_time_life = std::chrono::hours(24);  // of a one-time password
  std::vector<std::string> egress;                              // where alerts may be sent (net/egress.h)
  int quiet_windows = 3;                                        // after which an alert resolves by itself
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
  registry::AdmissionRules admission;
  // How old everything is that grows old; null: nobody looks.
  std::function<base::Result<updates::UpdateState>()> update_state = {};
};

// Everything that lies in one state folder, opened in the order in which it depends on each other, checked
// against the log, and held for this process alone. Thread-safe.
class Installation {
 public:
  // The one workspace that the embedded installation has.
  static const base::WorkspaceId& workspace();

  // kUnavailable where another process holds the folder; kDataCorrupt, naming the first thing that is not
  // what the log says.
  static base::Result<std::unique_ptr<Installation>> open(InstallationOptions options,
                                                          keys::MasterKey master);
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;
  ~Installation();

  // On the first start: the administrator's one-time password, to be shown once.
  base::Result<std::optional<access::OneTimePassword>> bootstrap();

  // Another master key in the place of the one in options().master_file (keys/master_rotation.h).
  // kUnsupported where it is in no file. One call at a time.
  base::Result<> rotate_master_key() HF_EXCLUDES(rotating_);

  // Every row that carries a record, against the log. kDataCorrupt names the first that is not as it says.
  [[nodiscard]] base::Result<> check_rows() const;

  [[nodiscard]] const InstallationOptions& options() const { return options_; }
  [[nodiscard]] const registry::Parts& parts() const { return *parts_; }
  [[nodiscard]] keys::KeyStore& keys() const { return *keys_; }
  [[nodiscard]] store::Database& database() const { return *database_; }
  [[nodiscard]] audit::Log& log() const { return *log_; }
  [[nodiscard]] access::Access& access() const { return *access_; }
  [[nodiscard]] registry::Models& models() const { return *models_; }
  [[nodiscard]] registry::Gates& gates() const { return *gates_; }
  [[nodiscard]] registry::Trials& trials() const { return *trials_; }
  [[nodiscard]] registry::RunQueue& run_queue() const { return *run_queue_; }
  [[nodiscard]] release::Releases& releases() const { return *releases_; }
  [[nodiscard]] const alerts::Alerts& alerts() const { return *alerts_; }
  [[nodiscard]] const crypto::AeadKey& webhook_key() const { return *webhook_key_; }
  // Drops a bounded piece of what has ended: tokens and assertions, and messages that were delivered or given
  // up more than kMessageMemory ago.
  base::Result<> forget_ended();
  static constexpr std::chrono::days kMessageMemory{30};

  // Sends what the outbox holds, from start_delivery() on.
  base::Result<> start_delivery();
  void wake_delivery();

  // Works off the queue of runs, from here on.
  void start_work();
  // After something was put into it: wakes who works, or works it off in this thread where nobody does.
  base::Result<> work_off_runs();

 private:
  explicit Installation(InstallationOptions options);
  base::Result<> open_stores(keys::MasterKey master);
  base::Result<> open_rooms();
  [[nodiscard]] base::Result<audit::Unsettled> compare_rows() const;
  [[nodiscard]] base::Result<> settle_rows() const;

  InstallationOptions options_;
  base::Mutex rotating_;
  std::optional<store::FolderLock> lock_;
  std::unique_ptr<keys::KeyStore> keys_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::BlobStore> blobs_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<access::Recorder> recorder_;
  std::unique_ptr<access::Access> access_;
  std::unique_ptr<registry::Parts> parts_;
  std::unique_ptr<registry::Models> models_;
  std::unique_ptr<registry::Gates> gates_;
  std::unique_ptr<registry::Trials> trials_;
  std::unique_ptr<registry::RunQueue> run_queue_;
  std::unique_ptr<release::Releases> releases_;
  std::unique_ptr<store::Outbox> outbox_;
  std::unique_ptr<alerts::Alerts> alerts_;
  std::unique_ptr<crypto::AeadKey> webhook_key_;
  std::unique_ptr<net::HttpClient> client_;
  // Last: they use the others until they are gone.
  std::unique_ptr<alerts::Delivery> delivery_;
  std::unique_ptr<registry::RunWorkers> run_workers_;
};

}  // namespace holdfast::server
