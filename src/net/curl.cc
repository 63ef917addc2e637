#include "net/curl.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace holdfast::net {
namespace {

using base::ErrorCode;
using base::Result;

constexpr const char* kLibrary = "libcurl.so.4";

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<Curl> load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return base::fail(
        ErrorCode::kUnavailable,
        fmt::format("{} is missing, which outgoing requests need; install it with: apt-get install libcurl4",
                    kLibrary));
  }
  Curl curl;
  const bool whole = find(library, "curl_global_init", curl.global_init) &&
                     find(library, "curl_easy_init", curl.easy_init) &&
                     find(library, "curl_easy_setopt", curl.easy_setopt) &&
                     find(library, "curl_easy_perform", curl.easy_perform) &&
                     find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
                     find(library, "curl_easy_strerror", curl.easy_strerror) &&
                     find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
                     find(library, "curl_slist_append", curl.slist_append) &&
                     find(library, "curl_slist_free_all", curl.slist_free_all);
  if (!whole || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return base::fail(ErrorCode::kUnavailable, fmt::format("{} can't be used: it does not start", kLibrary));
  }
  return curl;
}

}  // namespace

Result<const Curl*> load_curl() {
  // Never unloaded: libcurl and OpenSSL below it leave handlers for the end of the process.
  static const Result<Curl> loaded = load();
  if (!loaded) return base::fail(loaded.error());
  return &*loaded;
}

}  // namespace holdfast::net
