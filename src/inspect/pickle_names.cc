#include "inspect/pickle_names.h"

#include <algorithm>
#include <vector>

#include "inspect/rule_lists.h"

namespace holdfast::inspect {
namespace {

struct Danger {
  std::string_view module;  // with ".*": that module and those below it
  std::string_view name;    // "*": every name; a name covers the dotted ones that begin with it
  std::string_view what;
};

// The first that matches counts.
const std::vector<Danger>& dangers() {
  static const auto list = [] {
    std::vector<Danger> made;
    for (const auto line : rule_lines(RuleList::kPickleDangers)) {
      const auto name = line.find(' ') + 1;
      const auto what = line.find(' ', name) + 1;
      made.push_back({line.substr(0, name - 1), line.substr(name, what - name - 1), line.substr(what)});
    }
    return made;
  }();
  return list;
}

bool covers_module(const Danger& danger, std::string_view module) {
  if (!danger.module.ends_with(".*")) return module == danger.module;
  const std::string_view top = danger.module.substr(0, danger.module.size() - 2);
  return module.starts_with(top) && (module.size() == top.size() || module[top.size()] == '.');
}

bool covers(const Danger& danger, std::string_view module, std::string_view name) {
  if (!covers_module(danger, module)) return false;
  return danger.name == "*" || danger.name == name ||
         (name.size() > danger.name.size() && name.starts_with(danger.name) &&
          name[danger.name.size()] == '.');
}

struct Renamed {
  std::string_view old_module, old_name, module, name;
};

// _compat_pickle.NAME_MAPPING, without `exceptions`.
constexpr Renamed kRenamed[] = {
    {"__builtin__", "xrange", "builtins", "range"},
    {"__builtin__", "reduce", "functools", "reduce"},
    {"__builtin__", "intern", "sys", "intern"},
    {"__builtin__", "unichr", "builtins", "chr"},
    {"__builtin__", "unicode", "builtins", "str"},
    {"__builtin__", "basestring", "builtins", "str"},
    {"__builtin__", "long", "builtins", "int"},
    {"itertools", "izip", "builtins", "zip"},
    {"itertools", "imap", "builtins", "map"},
    {"itertools", "ifilter", "builtins", "filter"},
    {"itertools", "ifilterfalse", "itertools", "filterfalse"},
    {"itertools", "izip_longest", "itertools", "zip_longest"},
    {"UserDict", "IterableUserDict", "collections", "UserDict"},
    {"UserDict", "UserDict", "collections", "UserDict"},
    {"UserList", "UserList", "collections", "UserList"},
    {"UserString", "UserString", "collections", "UserString"},
    {"whichdb", "whichdb", "dbm", "whichdb"},
    {"_socket", "fromfd", "socket", "fromfd"},
    {"socket", "_socketobject", "socket", "SocketType"},
    {"_multiprocessing", "Connection", "multiprocessing.connection", "Connection"},
    {"multiprocessing.process", "Process", "multiprocessing.context", "Process"},
    {"multiprocessing.forking", "Popen", "multiprocessing.popen_fork", "Popen"},
    {"multiprocessing", "AuthenticationError", "multiprocessing.context", "AuthenticationError"},
    {"multiprocessing", "BufferTooShort", "multiprocessing.context", "BufferTooShort"},
    {"multiprocessing", "ProcessError", "multiprocessing.context", "ProcessError"},
    {"multiprocessing", "TimeoutError", "multiprocessing.context", "TimeoutError"},
    {"urllib", "ContentTooShortError", "urllib.error", "ContentTooShortError"},
    {"urllib", "getproxies", "urllib.request", "getproxies"},
    {"urllib", "pathname2url", "urllib.request", "pathname2url"},
    {"urllib", "quote_plus", "urllib.parse", "quote_plus"},
    {"urllib", "quote", "urllib.parse", "quote"},
    {"urllib", "unquote_plus", "urllib.parse", "unquote_plus"},
    {"urllib", "unquote", "urllib.parse", "unquote"},
    {"urllib", "url2pathname", "urllib.request", "url2pathname"},
    {"urllib", "urlcleanup", "urllib.request", "urlcleanup"},
    {"urllib", "urlencode", "urllib.parse", "urlencode"},
    {"urllib", "urlopen", "urllib.request", "urlopen"},
    {"urllib", "urlretrieve", "urllib.request", "urlretrieve"},
    {"urllib2", "HTTPError", "urllib.error", "HTTPError"},
    {"urllib2", "URLError", "urllib.error", "URLError"},
    {"exceptions", "StandardError", "builtins", "Exception"},
};

struct RenamedModule {
  std::string_view old_module, module;
};

// _compat_pickle.IMPORT_MAPPING. `exceptions` is there name by name, to the same effect.
constexpr RenamedModule kRenamedModules[] = {
    {"__builtin__", "builtins"},
    {"exceptions", "builtins"},
    {"copy_reg", "copyreg"},
    {"Queue", "queue"},
    {"SocketServer", "socketserver"},
    {"ConfigParser", "configparser"},
    {"repr", "reprlib"},
    {"tkFileDialog", "tkinter.filedialog"},
    {"tkSimpleDialog", "tkinter.simpledialog"},
    {"tkColorChooser", "tkinter.colorchooser"},
    {"tkCommonDialog", "tkinter.commondialog"},
    {"Dialog", "tkinter.dialog"},
    {"Tkdnd", "tkinter.dnd"},
    {"tkFont", "tkinter.font"},
    {"tkMessageBox", "tkinter.messagebox"},
    {"ScrolledText", "tkinter.scrolledtext"},
    {"Tkconstants", "tkinter.constants"},
    {"Tix", "tkinter.tix"},
    {"ttk", "tkinter.ttk"},
    {"Tkinter", "tkinter"},
    {"markupbase", "_markupbase"},
    {"_winreg", "winreg"},
    {"thread", "_thread"},
    {"dummy_thread", "_dummy_thread"},
    {"dbhash", "dbm.bsd"},
    {"dumbdbm", "dbm.dumb"},
    {"dbm", "dbm.ndbm"},
    {"gdbm", "dbm.gnu"},
    {"anydbm", "dbm"},
    {"whichdb", "dbm"},
    {"xmlrpclib", "xmlrpc.client"},
    {"SimpleXMLRPCServer", "xmlrpc.server"},
    {"DocXMLRPCServer", "xmlrpc.server"},
    {"httplib", "http.client"},
    {"htmlentitydefs", "html.entities"},
    {"HTMLParser", "html.parser"},
    {"Cookie", "http.cookies"},
    {"cookielib", "http.cookiejar"},
    {"BaseHTTPServer", "http.server"},
    {"SimpleHTTPServer", "http.server"},
    {"CGIHTTPServer", "http.server"},
    {"test.test_support", "test.support"},
    {"commands", "subprocess"},
    {"urlparse", "urllib.parse"},
    {"robotparser", "urllib.robotparser"},
    {"urllib2", "urllib.request"},
    {"_abcoll", "collections.abc"},
    {"cPickle", "pickle"},
    {"_elementtree", "xml.etree.ElementTree"},
    {"FileDialog", "tkinter.filedialog"},
    {"SimpleDialog", "tkinter.simpledialog"},
    {"UserDict", "collections"},
    {"UserList", "collections"},
    {"UserString", "collections"},
    {"StringIO", "io"},
    {"cStringIO", "io"},
};

}  // namespace

std::string_view danger_of(std::string_view module, std::string_view name) {
  for (const Danger& danger : dangers()) {
    if (covers(danger, module, name)) return danger.what;
  }
  return {};
}

bool is_dangerous_word(std::string_view text) {
  return std::any_of(dangers().begin(), dangers().end(), [&](const Danger& danger) {
    return danger.name == "*" ? covers_module(danger, text) : danger.name == text;
  });
}

std::pair<std::string_view, std::string_view> python3_name(std::string_view module, std::string_view name) {
  for (const Renamed& renamed : kRenamed) {
    if (renamed.old_module == module && renamed.old_name == name) return {renamed.module, renamed.name};
  }
  for (const RenamedModule& renamed : kRenamedModules) {
    if (renamed.old_module == module) return {renamed.module, name};
  }
  return {module, name};
}

}  // namespace holdfast::inspect
