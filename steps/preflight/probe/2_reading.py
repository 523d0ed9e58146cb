# Which reader opened which file, and what it found there. An audit hook sees
# every file that Python opens. Wrapping the readers' functions would not do:
# decouple and python-dotenv find their file by looking at who called them.

READERS = {"decouple": "decouple", "dotenv": "python-dotenv", "environ": "django-environ", "dynaconf": "python-dotenv"}
VENDORED = {"dynaconf": "dynaconf.vendor.dotenv"}  # where it reads files of variables; it reads files of other forms, too

opened = []  # (reader, absolute path), in order
looked = []  # (reader, absolute path) of files of variables that a reader looked for, and that are not there
read = []    # other files that were read, which may hold no more than a key
scripts = set()  # source files of the project that were opened, to be imported or run
landed = {}  # os.environ after the settings were evaluated
watching = False


def reader_of(frame):
    """The reader that opens a file of variables. Some read files of one value, too."""
    for _ in range(12):
        if frame is None:
            return None
        module = str(frame.f_globals.get("__name__"))
        package = module.partition(".")[0]
        reader = READERS.get(package) if module.startswith(VENDORED.get(package, package)) else None
        if reader == "python-dotenv" or reader == "django-environ" and frame.f_code.co_name == "read_env" \
                or reader == "decouple" and type(frame.f_locals.get("self")).__name__ != "RepositorySecret" and frame.f_code.co_name == "__init__":
            return reader
        frame = frame.f_back
    return None


def watch(event, args):
    if not watching or event != "open":
        return
    try:
        path, mode = args[0], args[1]
        if not isinstance(path, (str, bytes)) or (mode and set(mode) & set("wax+")):
            return
        path = os.path.abspath(os.fsdecode(path))
        name = os.path.basename(path)
        if name.endswith(".py") and in_project(path):
            scripts.add(os.path.realpath(path))
        if name.endswith((".py", ".pyc", ".so")) or "site-packages" in path or "dist-packages" in path:
            return
        reader = reader_of(sys._getframe(1))
        if reader is None and (name == ".env" or name.startswith(".env.") or name.endswith(".env")):
            reader = "other"
        if reader and (reader, path) not in opened:
            opened.append((reader, path))
        elif not reader and path not in read and len(read) < 100:
            read.append(path)
    except Exception:
        pass


sys.addaudithook(watch)

# Whatever looks for a file of variables before it opens one.
LOOKERS = dict(READERS, environs="python-dotenv", pydantic_settings="python-dotenv", configurations="other")


def look(path, found):
    """Notes a file that a reader looked for in vain."""
    try:
        name = os.path.basename(os.fsdecode(path))
        if not watching or found or ".env" not in name and name != "settings.ini":
            return found
        frame = sys._getframe(2)
        for _ in range(12):
            reader = LOOKERS.get(str(frame.f_globals.get("__name__")).partition(".")[0]) if frame else None
            if reader or frame is None:
                break
            frame = frame.f_back
        if reader and (reader, os.path.abspath(os.fsdecode(path))) not in looked:
            looked.append((reader, os.path.abspath(os.fsdecode(path))))
    except Exception:
        pass
    return found


def look_with(owner, name):
    plain = getattr(owner, name)
    setattr(owner, name, lambda path, *rest, **more: look(path, plain(path, *rest, **more)))


look_with(os.path, "isfile")
look_with(os.path, "exists")
look_with(pathlib.Path, "is_file")
look_with(pathlib.Path, "exists")


def values_of(reader, path):
    """Name to value, as that reader reads the file."""
    try:
        if reader == "decouple":
            import decouple

            if path.endswith(".ini"):
                parser = decouple.RepositoryIni(path).parser
                return {k.upper(): v for k, v in parser.items(decouple.RepositoryIni.SECTION, raw=True)}
            return dict(decouple.RepositoryEnv(path).data)
        if reader == "python-dotenv":
            from dotenv import dotenv_values, main

            pinned_dict = main.DotEnv.dict
            main.DotEnv.dict = getattr(pinned_dict, "inner", pinned_dict)
            try:
                return dict(dotenv_values(path))
            finally:
                main.DotEnv.dict = pinned_dict
        if reader == "django-environ":
            import environ

            class Apart(environ.Env):
                ENVIRON = {}

            Apart.read_env(path)
            return dict(Apart.ENVIRON)
        found = {}
        with open(path, encoding="utf-8") as f:
            for line in f:
                name, sign, value = line.strip().partition("=")
                if sign and not name.startswith("#"):
                    found[name.strip()] = value.strip().strip("\"'")
        return found
    except Exception:
        return {}


def from_files(name):
    """The value that the files give to a name, or None."""
    global watching
    before, watching = watching, False
    try:
        for reader, path in opened:
            value = values_of(reader, path).get(name)
            if isinstance(value, str):
                return value
        return None
    finally:
        watching = before


def effective(name):
    """The value that the backend gets for a name, None when nothing sets it."""
    if name in landed:
        return landed[name]
    value = from_files(name)
    if value is None and name in (KEY, SECRET):
        path = value_file_of(name)
        value = whole_value(path) if path else None
    return value


def whole_value(path):
    """The one value that a file holds, "" for another file."""
    try:
        if os.path.isfile(path) and os.path.getsize(path) <= 4096:
            with open(path, encoding="utf-8") as f:
                value = f.read().strip()
            return "" if re.search(r"\s", value) else value
    except (OSError, ValueError):
        pass
    return ""


def value_file_of(name):
    """The file of one value that is called as a variable is, or by it; "" for none."""
    like = lower(name).replace("_", "")
    told = landed.get(name + "_FILE")
    for path in read:
        if path == told or re.sub(r"[^a-z0-9]|\.\w+$", "", lower(os.path.basename(path))) == like:
            return path
    return ""


def many_values_file(value):
    """The file in a form of the project's own that a value stands in; "" for none."""
    for path in read if len(value) >= 8 else ():
        try:
            if not path.startswith("/proc/") and os.path.getsize(path) <= 65536:
                with open(path, encoding="utf-8") as f:
                    if value in f.read():
                        return path
        except (OSError, ValueError):
            pass
    return ""


def source_text(module):
    """The text of a module that is loaded."""
    try:
        return sys.modules[module].__loader__.get_source(module) or ""
    except Exception:
        return ""


def literal_at(module, value):
    """The line of a module on which a text stands as a literal, 0 for none."""
    try:
        for node in ast.walk(ast.parse(source_text(module))):
            if isinstance(node, ast.Constant) and node.value in (value, value.encode("utf-8", "surrogatepass")):
                return node.lineno
    except (SyntaxError, ValueError, RecursionError):
        pass
    return 0


def source_of(name, value):
    """Where a value is from, the file and the line: "environment", "file" (of
    variables), "value-file", "settings" (a literal in their code), "code" (what that
    fetches, with the file that it stands in, if any)."""
    if not value:
        return "", "", 0
    if ENVIRON.get(name) == value:
        return "environment", "", 0
    if from_files(name) == value or handed.get(name) == value:
        return "file", "", 0
    for path in read:
        if whole_value(path) == value.strip():
            return "value-file", path, 0
    for module in ours:
        line = literal_at(module, value)
        if line:
            return "settings", os.path.realpath(getattr(sys.modules[module], "__file__", None) or ""), line
    return "code", many_values_file(value), 0


def reader_in_use():
    """The reader that gives the settings their keys."""
    kinds = [reader for reader, _ in opened if reader != "other"]
    for name in (KEY, SECRET):
        for reader, path in opened:
            if reader in kinds and name in values_of(reader, path):
                return reader
    if kinds:
        return kinds[0]
    for reader, _ in looked:
        if reader != "other":
            return reader
    return "os.environ"


def pinned(name, value):
    """Makes os.environ hold value for name whatever the settings do, or, for
    None, makes the name unset there and in every reader's file."""
    os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value

    class Pinned(type(os.environ)):
        def __getitem__(self, key):
            if key != name:
                return super().__getitem__(key)
            note(key)
            if value is None:
                raise KeyError(key)
            return value

        def __setitem__(self, key, new):
            if key != name:
                super().__setitem__(key, new)

        def __delitem__(self, key):
            if key != name:
                super().__delitem__(key)

        def __iter__(self):
            return iter([k for k in super().__iter__() if k != name] + ([] if value is None else [name]))

        def setdefault(self, key, new=None):
            return super().setdefault(key, new) if key != name else (new if value is None else value)

    os.environ.__class__ = Pinned
    pin_decouple(name, value)
    pin_dotenv(name, value)


def pin_decouple(name, value):
    # The environment beats decouple's file, so only an unset name needs more.
    if value is not None:
        return
    try:
        import decouple
    except ImportError:
        return
    for kind in ("RepositoryEnv", "RepositoryIni", "RepositorySecret"):
        kind = getattr(decouple, kind, None)
        if kind:
            inner = kind.__contains__
            kind.__contains__ = lambda self, key, inner=inner: key != name and inner(self, key)


def pin_dotenv(name, value):
    # Some settings use the dictionary of the file and not the environment.
    try:
        import dotenv.main
    except ImportError:
        return
    inner = dotenv.main.DotEnv.dict

    def pinned_dict(self):
        values = inner(self)
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
        return values

    pinned_dict.inner = inner
    dotenv.main.DotEnv.dict = pinned_dict
