#pragma once

#include <curl/curl.h>

#include "base/result.h"

// For net/ alone: libcurl, loaded when it is first needed. Linked, its thirty libraries would more than
// double the time that every start of the program takes.

namespace holdfast::net {

struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
};

// The library, ready for use, for the rest of the process. kUnavailable names the package to install.
base::Result<const Curl*> load_curl();

}  // namespace holdfast::net
