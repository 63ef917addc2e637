#include "inspect/python_calls.h"

#include <array>
#include <string>
#include <unordered_map>

namespace holdfast::inspect {
namespace {

using Kind = PythonCallKind;

struct Known {
  std::string_view name;  // one that ends in "." stands for all that begin with it
  Kind kind;
};

// After the documentation of each module (docs.python.org/3.13/library and the packages' own).
constexpr Known kKnown[] = {
    {"exec", Kind::kExecutesText},
    {"eval", Kind::kExecutesText},
    {"compile", Kind::kExecutesText},
    {"execfile", Kind::kExecutesText},
    {"runpy.run_path", Kind::kExecutesText},
    {"runpy.run_module", Kind::kExecutesText},
    {"code.InteractiveInterpreter", Kind::kExecutesText},
    {"types.FunctionType", Kind::kExecutesText},
    {"types.CodeType", Kind::kExecutesText},
    {"timeit.timeit", Kind::kExecutesText},
    {"pandas.eval", Kind::kExecutesText},
    {"os.system", Kind::kShell},
    {"os.popen", Kind::kShell},
    {"subprocess.getoutput", Kind::kShell},
    {"subprocess.getstatusoutput", Kind::kShell},
    {"commands.getoutput", Kind::kShell},
    {"commands.getstatusoutput", Kind::kShell},
    {"asyncio.create_subprocess_shell", Kind::kShell},
    {"get_ipython().system", Kind::kShell},
    {"get_ipython().getoutput", Kind::kShell},
    {"posix.system", Kind::kShell},
    {"nt.system", Kind::kShell},
    {"platform.popen", Kind::kShell},
    {"subprocess.", Kind::kProcess},
    {"os.execl", Kind::kProcess},
    {"os.execle", Kind::kProcess},
    {"os.execlp", Kind::kProcess},
    {"os.execlpe", Kind::kProcess},
    {"os.execv", Kind::kProcess},
    {"os.execve", Kind::kProcess},
    {"os.execvp", Kind::kProcess},
    {"os.execvpe", Kind::kProcess},
    {"os.spawnl", Kind::kProcess},
    {"os.spawnle", Kind::kProcess},
    {"os.spawnlp", Kind::kProcess},
    {"os.spawnv", Kind::kProcess},
    {"os.spawnve", Kind::kProcess},
    {"os.spawnvp", Kind::kProcess},
    {"os.posix_spawn", Kind::kProcess},
    {"os.posix_spawnp", Kind::kProcess},
    {"os.startfile", Kind::kProcess},
    {"os.fork", Kind::kProcess},
    {"pty.spawn", Kind::kProcess},
    {"_posixsubprocess.fork_exec", Kind::kProcess},
    {"asyncio.create_subprocess_exec", Kind::kProcess},
    {"pexpect.spawn", Kind::kProcess},
    {"pexpect.run", Kind::kProcess},
    {"sh.", Kind::kProcess},
    {"webbrowser.open", Kind::kProcess},
    {"pip.main", Kind::kProcess},
    {"pip._internal.main", Kind::kProcess},
    {"pickle.load", Kind::kUnpickles},
    {"pickle.loads", Kind::kUnpickles},
    {"pickle.Unpickler", Kind::kUnpickles},
    {"_pickle.load", Kind::kUnpickles},
    {"_pickle.loads", Kind::kUnpickles},
    {"cPickle.load", Kind::kUnpickles},
    {"cPickle.loads", Kind::kUnpickles},
    {"dill.load", Kind::kUnpickles},
    {"dill.loads", Kind::kUnpickles},
    {"cloudpickle.load", Kind::kUnpickles},
    {"cloudpickle.loads", Kind::kUnpickles},
    {"joblib.load", Kind::kUnpickles},
    {"sklearn.externals.joblib.load", Kind::kUnpickles},
    {"pandas.read_pickle", Kind::kUnpickles},
    {"shelve.open", Kind::kUnpickles},
    {"marshal.load", Kind::kUnpickles},
    {"marshal.loads", Kind::kUnpickles},
    {"jsonpickle.decode", Kind::kUnpickles},
    {"mlflow.pyfunc.load_model", Kind::kUnpickles},
    {"mlflow.sklearn.load_model", Kind::kUnpickles},
    {"torch.jit.unsupported_tensor_ops.execWrapper", Kind::kExecutesText},
    {"torch.load", Kind::kTorchLoad},
    {"numpy.load", Kind::kNumpyLoad},
    {"yaml.load", Kind::kYamlLoad},
    {"yaml.load_all", Kind::kYamlLoad},
    {"yaml.unsafe_load", Kind::kUnpickles},
    {"yaml.unsafe_load_all", Kind::kUnpickles},
    {"yaml.full_load", Kind::kUnpickles},
    {"keras.models.load_model", Kind::kKerasLoad},
    {"keras.saving.load_model", Kind::kKerasLoad},
    {"tensorflow.keras.models.load_model", Kind::kKerasLoad},
    {"keras.config.enable_unsafe_deserialization", Kind::kUnpickles},
    {"tensorflow.keras.config.enable_unsafe_deserialization", Kind::kUnpickles},
    {"__import__", Kind::kImports},
    {"importlib.import_module", Kind::kImports},
    {"importlib.__import__", Kind::kImports},
    {"importlib.util.spec_from_file_location", Kind::kImports},
    {"importlib.machinery.SourceFileLoader", Kind::kImports},
    {"imp.load_source", Kind::kImports},
    {"pydoc.locate", Kind::kImports},
    {"socket.socket", Kind::kNetwork},
    {"socket.create_connection", Kind::kNetwork},
    {"urllib.request.", Kind::kNetwork},
    {"urllib.urlopen", Kind::kNetwork},
    {"urllib2.urlopen", Kind::kNetwork},
    {"urllib3.PoolManager", Kind::kNetwork},
    {"http.client.", Kind::kNetwork},
    {"requests.get", Kind::kNetwork},
    {"requests.post", Kind::kNetwork},
    {"requests.put", Kind::kNetwork},
    {"requests.request", Kind::kNetwork},
    {"requests.head", Kind::kNetwork},
    {"requests.Session", Kind::kNetwork},
    {"httpx.", Kind::kNetwork},
    {"aiohttp.", Kind::kNetwork},
    {"ftplib.FTP", Kind::kNetwork},
    {"smtplib.SMTP", Kind::kNetwork},
    {"telnetlib.Telnet", Kind::kNetwork},
    {"paramiko.SSHClient", Kind::kNetwork},
    {"websocket.create_connection", Kind::kNetwork},
    {"wget.download", Kind::kNetwork},
    {"dns.resolver.", Kind::kNetwork},
    {"ctypes.CDLL", Kind::kNative},
    {"ctypes.PyDLL", Kind::kNative},
    {"ctypes.WinDLL", Kind::kNative},
    {"ctypes.cdll.", Kind::kNative},
    {"ctypes.windll.", Kind::kNative},
    {"ctypes.pythonapi.", Kind::kNative},
    {"ctypes.memmove", Kind::kNative},
    {"ctypes.CFUNCTYPE", Kind::kNative},
    {"cffi.FFI", Kind::kNative},
    {"torch.ops.load_library", Kind::kNative},
    {"torch.classes.load_library", Kind::kNative},
    {"torch.utils.cpp_extension.load", Kind::kNative},
    {"torch.utils.cpp_extension.load_inline", Kind::kNative},
    {"tensorflow.load_op_library", Kind::kNative},
    {"tensorflow.load_library", Kind::kNative},
    {"torch.hub.load", Kind::kRemoteCode},
    {"base64.", Kind::kDecodes},
    {"binascii.", Kind::kDecodes},
    {"codecs.decode", Kind::kDecodes},
    {"zlib.decompress", Kind::kDecodes},
    {"gzip.decompress", Kind::kDecodes},
    {"bz2.decompress", Kind::kDecodes},
    {"lzma.decompress", Kind::kDecodes},
    {"bytes.fromhex", Kind::kDecodes},
    {"bytearray.fromhex", Kind::kDecodes},
    {"chr", Kind::kDecodes},
    {"jinja2.Template", Kind::kTemplate},
    {"flask.render_template_string", Kind::kTemplate},
    {"mako.template.Template", Kind::kTemplate},
};

struct Alias {
  std::string_view from;
  std::string_view to;
};

// Modules that are other modules.
constexpr std::array<Alias, 7> kSame{{{"builtins.", ""},
                                      {"__builtins__.", ""},
                                      {"__builtin__.", ""},
                                      {"six.moves.", ""},
                                      {"tf.", "tensorflow."},
                                      {"tensorflow.compat.v1.", "tensorflow."},
                                      {"np.", "numpy."}}};

const std::unordered_map<std::string_view, Kind>& by_name() {
  static const auto map = [] {
    std::unordered_map<std::string_view, Kind> names;
    for (const auto& known : kKnown) names.emplace(known.name, known.kind);
    return names;
  }();
  return map;
}

}  // namespace

PythonCallKind python_call_kind(std::string_view name) {
  std::string plain(name);
  for (const auto& alias : kSame) {
    if (plain.starts_with(alias.from)) plain.replace(0, alias.from.size(), alias.to);
  }
  if (const auto known = by_name().find(plain); known != by_name().end()) return known->second;
  for (std::size_t dot = plain.rfind('.'); dot != std::string::npos && dot > 0;
       dot = plain.rfind('.', dot - 1)) {
    const auto family = by_name().find(std::string_view(plain).substr(0, dot + 1));
    if (family != by_name().end()) return family->second;
  }
  const std::string_view last = std::string_view(plain).substr(plain.rfind('.') + 1);
  if (last == "PromptTemplate" || last == "ChatPromptTemplate" ||
      plain.ends_with("PromptTemplate.from_template")) {
    return Kind::kPromptTemplate;
  }
  return Kind::kNone;
}

}  // namespace holdfast::inspect
