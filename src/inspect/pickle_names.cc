#include "inspect/pickle_names.h"

#include <algorithm>
#include <iterator>

namespace holdfast::inspect {
namespace {

constexpr std::string_view kCommand = "runs commands of the operating system";
constexpr std::string_view kCode = "runs Python code that it is given as text or by value";
constexpr std::string_view kImport = "imports code by name";
constexpr std::string_view kReach = "reaches any attribute by name, the usual way round a list of names";
constexpr std::string_view kCallAny = "calls a function that it is given, with arguments that it is given";
constexpr std::string_view kLoad = "loads another pickle, which runs what that holds";
constexpr std::string_view kFile = "reads, writes or removes files";
constexpr std::string_view kNetwork = "speaks to the network";
constexpr std::string_view kMemory = "reads and writes the memory of the process";
constexpr std::string_view kInstall = "installs packages, which runs their code";
constexpr std::string_view kProcess = "starts, ends or takes over processes";

struct Danger {
  std::string_view module;  // with ".*": that module and those below it
  std::string_view name;    // "*": every name; a name covers the dotted ones that begin with it
  std::string_view what;
};

// The first that matches counts.
constexpr Danger kDangers[] = {
    {"builtins", "eval", kCode},
    {"builtins", "exec", kCode},
    {"builtins", "execfile", kCode},
    {"builtins", "compile", kCode},
    {"builtins", "breakpoint", kCode},
    {"builtins", "__import__", kImport},
    {"builtins", "__build_class__", kCode},
    {"builtins", "getattr", kReach},
    {"builtins", "setattr", kReach},
    {"builtins", "delattr", kReach},
    {"builtins", "vars", kReach},
    {"builtins", "globals", kReach},
    {"builtins", "locals", kReach},
    {"builtins", "dir", kReach},
    {"builtins", "type", kCode},
    {"builtins", "open", kFile},
    {"builtins", "apply", kCallAny},
    {"builtins", "map", kCallAny},
    {"builtins", "filter", kCallAny},
    {"builtins", "input", "waits for a person's answer"},
    {"builtins", "help", kCode},
    {"builtins", "memoryview", kMemory},
    {"os", "*", kCommand},
    {"posix", "*", kCommand},
    {"nt", "*", kCommand},
    {"os.path", "*", kFile},
    {"posixpath", "*", kFile},
    {"ntpath", "*", kFile},
    {"subprocess", "*", kCommand},
    {"_posixsubprocess", "*", kCommand},
    {"_winapi", "*", kCommand},
    {"commands", "*", kCommand},
    {"popen2", "*", kCommand},
    {"pty", "*", kCommand},
    {"platform", "*", kCommand},
    {"_osx_support", "*", kCommand},
    {"_aix_support", "*", kCommand},
    {"_pyrepl.*", "*", kCommand},
    {"distutils.*", "*", kCommand},
    {"setuptools.*", "*", kInstall},
    {"pkg_resources", "*", kImport},
    {"pip.*", "*", kInstall},
    {"ensurepip.*", "*", kInstall},
    {"venv", "*", kInstall},
    {"conda.*", "*", kInstall},
    {"webbrowser", "*", "opens a browser, which can be any command"},
    {"antigravity", "*", "opens a browser, which can be any command"},
    {"sys", "*", "changes the running interpreter"},
    {"_imp", "*", kImport},
    {"imp", "*", kImport},
    {"importlib.*", "*", kImport},
    {"_frozen_importlib", "*", kImport},
    {"_frozen_importlib_external", "*", kImport},
    {"pkgutil", "*", kImport},
    {"zipimport", "*", kImport},
    {"runpy", "*", kCode},
    {"pydoc", "*", kImport},
    {"code", "*", kCode},
    {"codeop", "*", kCode},
    {"types", "CodeType", kCode},
    {"types", "FunctionType", kCode},
    {"types", "LambdaType", kCode},
    {"types", "*", kCode},
    {"marshal", "*", kCode},
    {"ast", "*", kCode},
    {"bdb", "*", kCode},
    {"pdb", "*", kCode},
    {"cProfile", "*", kCode},
    {"profile", "*", kCode},
    {"trace", "*", kCode},
    {"timeit", "*", kCode},
    {"_testcapi", "*", kCode},
    {"_xxsubinterpreters", "*", kCode},
    {"_interpreters", "*", kCode},
    {"doctest", "*", kCode},
    {"unittest.*", "*", kCode},
    {"test.*", "*", kCode},
    {"idlelib.*", "*", kCode},
    {"lib2to3.*", "*", kLoad},
    {"cgitb", "*", kFile},
    {"logging.config", "*", kCode},
    {"site", "*", kCode},
    {"sqlite3.*", "*", kFile},
    {"_sqlite3", "*", kFile},
    {"pickle", "*", kLoad},
    {"_pickle", "*", kLoad},
    {"cPickle", "*", kLoad},
    {"shelve", "*", kLoad},
    {"dill.*", "*", kCode},
    {"cloudpickle.*", "*", kCode},
    {"joblib.*", "load", kLoad},
    {"multiprocessing.*", "*", kProcess},
    {"concurrent.*", "*", kProcess},
    {"threading", "*", kProcess},
    {"_thread", "*", kProcess},
    {"asyncio.*", "*", kProcess},
    {"signal", "*", kProcess},
    {"_signal", "*", kProcess},
    {"atexit", "*", kCallAny},
    {"operator", "*", kReach},
    {"_operator", "*", kReach},
    {"functools", "*", kCallAny},
    {"_functools", "*", kCallAny},
    {"itertools", "starmap", kCallAny},
    {"itertools", "accumulate", kCallAny},
    {"inspect", "*", kReach},
    {"gc", "*", kReach},
    {"linecache", "*", kFile},
    {"io", "*", kFile},
    {"_io", "*", kFile},
    {"shutil", "*", kFile},
    {"tempfile", "*", kFile},
    {"fileinput", "*", kFile},
    {"glob", "*", kFile},
    {"pathlib", "*", kFile},
    {"zipfile", "*", kFile},
    {"tarfile", "*", kFile},
    {"mmap", "*", kMemory},
    {"ctypes.*", "*", kMemory},
    {"_ctypes", "*", kMemory},
    {"cffi.*", "*", kMemory},
    {"socket", "*", kNetwork},
    {"_socket", "*", kNetwork},
    {"ssl", "*", kNetwork},
    {"socketserver", "*", kNetwork},
    {"urllib.*", "*", kNetwork},
    {"urllib2", "*", kNetwork},
    {"urllib3.*", "*", kNetwork},
    {"http.*", "*", kNetwork},
    {"httplib", "*", kNetwork},
    {"httpx.*", "*", kNetwork},
    {"requests.*", "*", kNetwork},
    {"aiohttp.*", "*", kNetwork},
    {"ftplib", "*", kNetwork},
    {"imaplib", "*", kNetwork},
    {"poplib", "*", kNetwork},
    {"smtplib", "*", kNetwork},
    {"telnetlib", "*", kNetwork},
    {"nntplib", "*", kNetwork},
    {"xmlrpc.*", "*", kNetwork},
    {"wsgiref.*", "*", kNetwork},
    {"uuid", "_get_command_stdout", kCommand},
    {"uuid", "_popen", kCommand},
    {"numpy.f2py.*", "*", kCode},
    {"numpy.distutils.*", "*", kCommand},
    {"numpy.testing.*", "*", kCode},
    {"numpy.lib.npyio", "*", kLoad},
    {"numpy.lib._npyio_impl", "*", kLoad},
    {"numpy", "load", kLoad},
    {"numpy", "DataSource", kNetwork},
    {"numpy.core", "_ufunc_reconstruct", kImport},
    {"numpy._core", "_ufunc_reconstruct", kImport},
    {"numpy.ctypeslib", "*", kMemory},
    {"scipy.io.*", "*", kFile},
    {"scipy.stats.*", "*",
     "runs Python code that its state holds as text, as every distribution of SciPy does"},
    {"pandas", "eval", kCode},
    {"pandas.core.computation.*", "*", kCode},
    {"pandas", "read_pickle", kLoad},
    {"pandas.io.*", "*", kLoad},
    {"pandas.compat.pickle_compat", "*", kLoad},
    {"sklearn.utils._testing", "*", kCode},
    {"torch", "load", kLoad},
    {"torch.serialization", "load", kLoad},
    {"torch.hub", "*", kImport},
    {"torch.utils.model_zoo", "*", kLoad},
    {"torch.utils.cpp_extension", "*", kCommand},
    {"torch.utils.collect_env", "*", kCommand},
    {"torch.utils.bottleneck.*", "*", kCode},
    {"torch.utils._config_module", "*", kLoad},
    {"torch.jit.*", "*", kCode},
    {"torch._dynamo.*", "*", kCode},
    {"torch._inductor.*", "*", kCode},
    {"torch.fx.*", "*", kCode},
    {"torch.package.*", "*", kCode},
    {"torch.ops", "*", kMemory},
    {"torch.distributed.rpc.*", "*", kNetwork},
    {"torch.multiprocessing.*", "*", kProcess},
};

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
  for (const Danger& danger : kDangers) {
    if (covers(danger, module, name)) return danger.what;
  }
  return {};
}

bool is_dangerous_word(std::string_view text) {
  return std::any_of(std::begin(kDangers), std::end(kDangers), [&](const Danger& danger) {
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
