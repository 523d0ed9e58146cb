# Evaluating the settings, once in a process: whatever they and the apps do to it
# belongs to that evaluation.

import runpy
import sysconfig
import types

ENVIRON = dict(os.environ)
STDLIB = os.path.realpath(sysconfig.get_paths()["stdlib"]) + os.sep

ours = set()      # the project's modules that evaluating loaded
candidate = None  # the throwaway key that the settings were given


def is_projects(name, module):
    path = getattr(module, "__file__", None)
    if not path and hasattr(module, "__path__"):
        path = next(iter(module.__path__), None)
    if not path or name == "__main__" or name.partition(".")[0] in READERS:
        return False
    return is_ours(real(path))


def is_ours(path):
    return "site-packages" not in path and "dist-packages" not in path and not path.startswith(STDLIB)


class Missed:
    """The last finder of modules: what is asked of it, no other has found. A module of
    the project that is missing now, and tolerated, would count once it is there."""

    files = set()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        try:
            folders = list(path) if path is not None else [ASKED["root"]] if cls.asked_by_project() else []
            for folder in folders if len(cls.files) < 1000 else ():
                at = os.path.join(real(folder), name.rpartition(".")[2])
                if is_ours(at):
                    cls.files.update([at + ".py", os.path.join(at, "__init__.py")])
        except Exception:
            pass
        return None

    @staticmethod
    def asked_by_project():
        frame = sys._getframe(2)
        while frame is not None and ("importlib" in frame.f_code.co_filename or frame.f_globals.get("__name__") == __name__):
            frame = frame.f_back
        return frame is not None and in_project(frame.f_code.co_filename)


def before(name, module, folders):
    """The files that Python would load in a module's place, were they there: a package
    beside the project's own module, and a module of the project in one of its folders that
    come first on the path, as before an installed one."""
    file = getattr(module, "__file__", None)
    path = real(file) if file else STDLIB
    stem, end = os.path.splitext(path)
    package = os.path.basename(stem) == "__init__"
    first = [os.path.join(stem, "__init__.py")] if is_ours(path) and end == ".py" and not package else []
    if "." in name or path.startswith(STDLIB) and "-packages" not in path:
        return first
    home = os.path.dirname(os.path.dirname(path) if package else path)
    for folder in folders[:folders.index(home)] if home in folders else folders:
        at = os.path.join(folder, name)
        first += [at + ".py", os.path.join(at, "__init__.py")]
    return first


def files_of_modules():
    """The files of the project's modules that this process has loaded, or has looked for
    in vain, or would load first, and of what it has run in another way."""
    modules = [(name, m) for name, m in list(sys.modules.items()) if name != "__main__"]
    folders = [real(p) for p in sys.path if os.path.isdir(p) and is_ours(real(p) + os.sep)]
    found = [real(m.__file__) for name, m in modules if getattr(m, "__file__", None) and is_projects(name, m)]
    missing = [path for path in {*Missed.files, *(path for name, m in modules for path in before(name, m, folders))} if not os.path.exists(path)]
    return sorted({*found, *scripts, *missing})


def start():
    """Makes this process look like `python manage.py check`, once."""
    root, manage = ASKED["root"], ASKED["manage"]
    os.chdir(root)
    sys.path[:] = [root] + [p for p in sys.path if p not in ("", root)]
    sys.argv[:] = [manage, "check"]
    sys.dont_write_bytecode = True
    sys.meta_path.append(Missed)
    if ASKED["settings"]:
        ENVIRON["DJANGO_SETTINGS_MODULE"] = os.environ["DJANGO_SETTINGS_MODULE"] = ASKED["settings"]
    # python-dotenv looks for its file from the current folder when the main
    # module has no file.
    main = types.ModuleType("__main__")
    main.__file__ = manage
    sys.modules["__main__"] = main
    import django.core.management

    django.core.management.execute_from_command_line = lambda *_, **__: None


def run_manage():
    """Lets manage.py say which settings it uses, and prepare what it prepares."""
    try:
        with_main = sys.modules["__main__"]
        try:
            runpy.run_path(ASKED["manage"], run_name="__main__")
        finally:
            sys.modules["__main__"] = with_main
    except SystemExit:
        pass
    if ASKED["settings"] or not os.environ.get("DJANGO_SETTINGS_MODULE"):
        os.environ["DJANGO_SETTINGS_MODULE"] = ASKED["settings"] or ASKED["guess"]


def evaluate():
    """Evaluates the settings from the environment and the files as they are now."""
    global watching
    before = set(sys.modules)
    watching = True
    try:
        run_manage()
        from django.conf import LazySettings, Settings

        module = os.environ.get("DJANGO_SETTINGS_MODULE")
        if not module:
            raise ImportError("no settings module is named in manage.py or DJANGO_SETTINGS_MODULE")
        settings = Settings(module)
        # dynaconf puts an object of its own in the place of Django's.
        others = sys.modules["django.conf"].settings
        return settings if isinstance(others, LazySettings) else others
    finally:
        watching = False
        # A reader that is told to override has put the file's value here.
        landed.update(os.environ)
        ours.update(name for name in set(sys.modules) - before if is_projects(name, sys.modules[name]))
        for _, path in opened:
            learn_file(path)
        for path in read:
            learn(whole_value(path))
        for name in ours:
            learn_module(vars(sys.modules[name]))


def names_key(error):
    return bool(re.search(r"JWT|SIGNING", str(error), re.I)) or KEY in str(error)


def state_of(error):
    """What is wrong with the key that the settings refuse, in a word. The keys are
    compared; what the message says counts for nothing."""
    key, secret = effective(KEY), effective(SECRET)
    if not key or not_found(error):
        return "key-missing"
    if key == secret:
        return "key-equal"
    if len(key) < ASKED["least"]:
        return "key-short"
    return "key-refused"


def not_found(error):
    """Whether what reads the key has none, though a file of variables does."""
    frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    by_reader = frames and not in_project(frames[-1]) and asked_for(error) == KEY and told_missing(error)
    return bool(by_reader) or isinstance(error, KeyError) and error.args[:1] == (KEY,) or KEY in list(missing_fields(error))


def told_missing(error):
    """Whether an error is the one by which readers say that a variable is not set."""
    return bool({"ImproperlyConfigured", "UndefinedValueError", "EnvError"} & {kind.__name__ for kind in type(error).__mro__})


def asked_for(error):
    """The setting that was being read, as the project's code names it: what a reader
    looks for may be a value that it takes for a name."""
    here = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename
        if in_project(path):
            found = re.search(r"""(?:config|env|getenv|get|str|int|bool|list)\w*[(\[]\s*["'](\w+)["']""",
                              linecache.getline(path, line))
            here = found.group(1) if found else here
            continue
        module = str(frame.f_globals.get("__name__")).partition(".")[0]
        asked = frame.f_locals.get({"decouple": "option", "environ": "var"}.get(module, ""))
        if isinstance(asked, str):
            here = asked
            break
    return here if NAME.fullmatch(here) and (lower(here) in all_names() or lower(here) in names_in_code) else ""


def explain(error):
    """What went wrong, and where in the project, without any value."""
    told = {"kind": "other", "type": type(error).__name__, "text": message(error), "file": "", "line": 0,
            "module": "", "setting": asked_for(error)}
    for frame, line in traceback.walk_tb(error.__traceback__):
        if in_project(frame.f_code.co_filename):
            told["file"], told["line"] = os.path.realpath(frame.f_code.co_filename), line
    if isinstance(error, SyntaxError):
        told["kind"] = "syntax"
        if os.path.isfile(error.filename or ""):
            told.update(file=error.filename, line=error.lineno or 0)
    elif isinstance(error, ModuleNotFoundError):
        name = str(error.name or "")
        told.update(kind="module", module=name if name in told["text"] else "")
    elif isinstance(error, OSError) and candidate and str(error.filename).endswith(candidate):
        told["kind"] = "path"
    elif isinstance(error, Refused):
        told.update(kind="refused", text=str(error))
    else:
        family = [kind.__name__ for kind in type(error).__mro__]
        if isinstance(error, KeyError) and error.args and error.args[0] == last and is_variable(last):
            told.update(kind="configured", text="the environment has no " + last)
        elif told_missing(error):
            told["kind"] = "configured"
        elif isinstance(error, UnicodeDecodeError):
            # Its text holds the bytes of the file.
            told.update(kind="encoding", text="a file is not valid UTF-8")
        elif isinstance(error, ValueError) and told["setting"]:
            told["kind"] = "cast"
        elif "DatabaseError" in family or "InterfaceError" in family:
            told["kind"] = "database"
    return told
