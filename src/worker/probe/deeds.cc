#include "worker/probe/deeds.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/file.h"
#include "worker/handshake.h"
#include "worker/process.h"

namespace holdfast::worker::probe {
namespace {

using base::UniqueFd;

std::string outcome(long result) { return result < 0 ? strerrorname_np(errno) : "done"; }

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc()) ::_exit(100);
  return value;
}

std::string open_file(const std::string& path, int flags) {
  const UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  return outcome(file.get());
}

std::string stat_file(const std::string& path) {
  struct stat status{};
  return outcome(::fstatat(AT_FDCWD, path.c_str(), &status, 0));
}

std::string connect_tcp(const std::string& port) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return outcome(-1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(number(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return outcome(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
}

std::string connect_abstract(const std::string& name) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return outcome(-1);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return outcome(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size));
}

std::string execute(const std::string& path) {
  std::string copy = path;
  std::array<char*, 2> arguments{copy.data(), nullptr};
  return outcome(::execv(path.c_str(), arguments.data()));
}

std::string fork_child(const std::string&) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  return outcome(child);
}

std::string map_executable(const std::string&) {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return outcome(page == MAP_FAILED ? -1 : 0);
}

std::string make_executable(const std::string&) {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? "no page" : outcome(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

std::string allocate(const std::string& bytes) {
  const std::size_t size = number(bytes);
  const std::unique_ptr<char[]> block(new char[size]);
  for (std::size_t i = 0; i < size; i += 4096) const_cast<volatile char*>(block.get())[i] = 1;
  return "done";
}

std::string spin(const std::string& ignoring) {
  if (!ignoring.empty()) ::signal(SIGXCPU, SIG_IGN);
  volatile std::uint64_t turns = 0;
  for (;;) turns = turns + 1;
}

bool start_thread(std::vector<std::thread>& threads) {
  try {
    threads.emplace_back([] { ::usleep(20'000); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

// How many threads can be had beside this one.
std::string start_threads(const std::string& wanted) {
  std::vector<std::thread> threads;
  while (threads.size() < number(wanted) && start_thread(threads)) {
  }
  for (auto& thread : threads) thread.join();
  return std::to_string(threads.size());
}

std::string print(const std::string& bytes) {
  const std::string line(127, '.');
  for (std::uint64_t left = number(bytes); left >= 128; left -= 128) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fputs("the last line", stderr);
  return "done";
}

std::string crash(const std::string&) {
  void* page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile int*>(page) = 1;
  return "done";
}

int descend(std::uint64_t depth) {
  std::array<volatile char, 4096> frame{};
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : descend(depth - 1) + frame[0];
}

std::string overflow_stack(const std::string&) { return std::to_string(descend(1UL << 40)); }

std::string wait_forever(const std::string&) {
  for (;;) ::pause();
}

std::string sleep_forever(const std::string&) {
  for (;;) ::usleep(100'000);
}

void send_raw(std::string_view bytes) {
  if (::write(kChannelDescriptor, bytes.data(), bytes.size()) < 0) ::_exit(101);
}

std::string announce(const std::string& size) {
  base::Bytes header;
  base::append_le(header, static_cast<std::uint32_t>(number(size)));
  send_raw(base::as_text(header));
  return sleep_forever({});
}

std::string half_a_frame(const std::string&) {
  send_raw(std::string_view("\x10\0\0\0half", 8));
  ::close(kChannelDescriptor);
  return sleep_forever({});
}

// One byte of a large frame after another, as fast as they go.
std::string trickle(const std::string&) {
  send_raw(std::string_view("\0\0\0\4", 4));
  for (;;) send_raw("x");
}

std::string close_connection(const std::string&) {
  ::close(kChannelDescriptor);
  return sleep_forever({});
}

std::string own_user(const std::string&) { return std::to_string(::syscall(SYS_getuid)); }

std::string signal_process(const std::string& id) {
  return outcome(::kill(static_cast<pid_t>(number(id)), 0));
}

std::string trace(const std::string& id) {
  return outcome(::ptrace(PTRACE_ATTACH, static_cast<pid_t>(number(id)), nullptr, nullptr));
}

std::string any_call(const std::string& call) {
  return outcome(::syscall(static_cast<long>(number(call)), 0, 0, 0, 0, 0, 0));
}

// Starts a jailed worker of its own, and gives its id; the worker lives as long as this process.
std::string start_another(const std::string&) {
  static std::optional<Process> worker;
  auto started = Process::start({.argv = {"worker_probe", "jailed"}});
  if (!started) return started.error().message;
  worker.emplace(std::move(*started));
  return std::to_string(worker->id());
}

std::string throw_uncaught(const std::string&) { throw std::runtime_error("nobody catches this"); }

std::string environment(const std::string&) {
  std::string names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    names.append(*variable, std::strcspn(*variable, "=")).append(" ");
  }
  return names;
}

// The descriptors that are open, of the first hundred.
std::string open_descriptors(const std::string&) {
  std::string open;
  for (int i = 0; i < 100; ++i) {
    if (::fcntl(i, F_GETFD) >= 0) open.append(std::to_string(i)).append(" ");
  }
  return open;
}

// UndefinedBehaviorSanitizer looks into an object before it is called by a pointer to its base.
std::string call_virtually(const std::string& text) {
  std::stringstream stream;
  std::ostream& base = stream;
  base << text;
  const std::unique_ptr<std::exception> error = std::make_unique<std::runtime_error>(stream.str());
  return error->what();
}

using Deed = std::function<std::string(const std::string&)>;

const std::map<std::string, Deed, std::less<>>& deeds() {
  static const std::map<std::string, Deed, std::less<>> table{
      {"echo", [](const std::string& text) { return text; }},
      {"call-virtually", call_virtually},
      {"read-file", [](const std::string& path) { return open_file(path, O_RDONLY); }},
      {"write-file", [](const std::string& path) { return open_file(path, O_WRONLY | O_CREAT); }},
      {"list", [](const std::string& path) { return open_file(path, O_RDONLY | O_DIRECTORY); }},
      {"stat", stat_file},
      {"connect-tcp", connect_tcp},
      {"connect-abstract", connect_abstract},
      {"execute", execute},
      {"fork", fork_child},
      {"signal", signal_process},
      {"trace", trace},
      {"call", any_call},
      {"map-executable", map_executable},
      {"make-executable", make_executable},
      {"allocate", allocate},
      {"spin", spin},
      {"threads", start_threads},
      {"print", print},
      {"crash", crash},
      {"overflow-stack", overflow_stack},
      {"abort", [](const std::string&) -> std::string { std::abort(); }},
      {"throw", throw_uncaught},
      {"exit", [](const std::string& status) -> std::string { std::exit(static_cast<int>(number(status))); }},
      {"pause", wait_forever},
      {"sleep", sleep_forever},
      {"announce", announce},
      {"half-a-frame", half_a_frame},
      {"trickle", trickle},
      {"close", close_connection},
      {"user", own_user},
      {"start-another", start_another},
      {"environment", environment},
      {"descriptors", open_descriptors},
  };
  return table;
}

std::string use_descriptor(const std::string& how, int descriptor) {
  std::array<char, 64> buffer{};
  if (how == "write") return outcome(::write(descriptor, "x", 1));
  const ssize_t got = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  return got < 0 ? outcome(got) : std::string(buffer.data(), static_cast<std::size_t>(got));
}

}  // namespace

std::string do_deed(const Frame& request, Channel& channel) {
  const std::string text(base::as_text(request.bytes));
  const std::size_t blank = std::min(text.find(' '), text.size());
  const std::string name = text.substr(0, blank);
  const std::string argument = blank < text.size() ? text.substr(blank + 1) : std::string();
  if (name == "descriptor") return use_descriptor(argument, request.descriptor.get());
  if (name == "send-descriptor") {
    const auto sent = channel.send(base::as_bytes("here it is"), kNoDeadline, STDERR_FILENO);
    return sent ? sleep_forever({}) : sent.error().message;
  }
  const auto deed = deeds().find(name);
  return deed == deeds().end() ? "no such deed" : deed->second(argument);
}

}  // namespace holdfast::worker::probe
