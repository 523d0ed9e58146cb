# How the settings read a variable: the call that reads SECRET_KEY is asked for the key.

NAME = re.compile(r"[A-Za-z_]\w*\Z")


class Read:
    """A reading: the call or subscript, the name of its variable, and how another one is
    asked for. form is "get" (None where it is not set), "default" (told so), "plain"."""

    def __init__(self, module, node, call, name, form):
        self.module, self.node, self.call, self.name, self.form = module, node, call, name, form


def reads(module, node):
    """The readings within an expression."""
    for part in ast.walk(node):
        text = None
        if isinstance(part, ast.Call) and part.args and isinstance(part.func, (ast.Name, ast.Attribute)):
            text, base = part.args[0], part.func
        elif isinstance(part, ast.Subscript):
            text, base = getattr(part.slice, "value", part.slice), part.value
            text = part.slice if isinstance(part.slice, ast.Constant) else text
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str) or not NAME.match(text.value):
            continue
        if not re.search("SECRET|KEY|JWT", text.value, re.I) or isinstance(base, ast.Name) and base.id in ("str", "Path", "bool"):
            continue
        call = module.words(base)
        if isinstance(part, ast.Subscript):
            if root_name(base) not in ("SIMPLE_JWT", "NINJA_JWT"):
                yield Read(module, part, call + ".get", text.value, "get")
        elif re.search(r"(?:environ\.get|getenv)\Z|\bget\Z", call):
            yield Read(module, part, call, text.value, "get")
        else:
            yield Read(module, part, call, text.value, "default")


def secret_statement():
    """The module and the statement that give SECRET_KEY its value, the last ones."""
    found = None, None
    for module in modules:
        for node in statements(module.tree.body):
            inner = node.body if isinstance(node, ast.ClassDef) else [node]
            for one in inner:
                if assigns(one, "SECRET_KEY"):
                    found = module, one
    return found


def import_of(module, name):
    """The statement that brings a name into a module, as another module can have it."""
    for node in statements(module.tree.body):
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return "from %s import %s%s" % (node.module, alias.name, " as " + alias.asname if alias.asname else "")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name) == name and "." not in alias.name:
                    return "import %s%s" % (alias.name, " as " + alias.asname if alias.asname else "")
    return ""


KNOWN = re.compile(r"(?:^|\.)(?:config|env|environ\.get|getenv|env\.str|get_env\w*|getenv\w*|get_secret\w*)\Z")


def loads():
    """Whether something fills the environment from a file."""
    return any(re.search(r"\b(?:load_dotenv|read_dotenv|read_env)\s*\(", m.text) for m in modules)


def brought(module, package, **way):
    """A way that needs a package which nothing of the project imports so far, where it is
    installed."""
    try:
        if importlib.util.find_spec(module) is not None:
            yield dict(way, package=package, version=importlib.metadata.version(package))
    except (ImportError, ValueError):
        pass


STORES = ("get_parameter", "get_parameters", "get_secret_value", "access_secret_version", "read_secret", "read_secret_version", "get_password")


def defined(call):
    """The settings' own function that a call names, None for none."""
    return next((node for m in modules for node in ast.walk(m.tree) if isinstance(node, ast.FunctionDef) and node.name == call), None)


def takes_default(call):
    made = defined(call)
    return made is None or made.args.kwarg is not None or any(a.arg == "default" for a in made.args.args + made.args.kwonlyargs)


def from_store():
    """The settings' own function that fetches SECRET_KEY from a store, and no variable; ""
    for none. What it would fetch for the key cannot be tried."""
    owner, statement = secret_statement()
    for r in reads(owner, statement.value) if statement is not None else ():
        asked = [n.attr for n in ast.walk(defined(r.call) or ast.Pass()) if isinstance(n, ast.Attribute)]
        if set(asked) & set(STORES) and "environ" not in asked and "getenv" not in asked:
            return r.call
    return ""


def readers(module, value=None):
    """The ways to read a variable in a module, the project's own first."""
    found = list(reads(*value)) if value else []
    owner, statement = secret_statement()
    if statement is not None:
        found += reads(owner, statement.value)
    for other in [module] + [m for m in reversed(modules) if m is not module]:
        for part in ast.walk(other.tree):
            if isinstance(part, ast.Call) and isinstance(part.func, (ast.Name, ast.Attribute)) and part.args and KNOWN.search(other.words(part.func) or ""):
                if isinstance(part.args[0], ast.Constant) and isinstance(part.args[0].value, str):
                    call = other.words(part.func)
                    found.append(Read(other, part, call, part.args[0].value, "get" if re.search(r"(?:environ\.get|getenv)\Z", call) else "default"))
    ways = []
    for r in found:
        base = r.call.partition(".")[0].partition("(")[0]
        line = bound(module, base)
        needs = "" if line else import_of(r.module, base)
        if line or needs:
            for form in ["plain"] if not takes_default(r.call) else [r.form] + (["plain"] if r.form == "default" else []):
                ways.append({"call": r.call, "form": form, "import": needs, "line": line, "setup": ""})
    if not ways and loads():
        ways.append(environment(module))
    if not ways:
        ways += brought("decouple", "python-decouple", call="config", form="default", line=0, setup="", **{"import": "from decouple import config"})
        ways += brought("dotenv", "python-dotenv", **dict(environment(module), setup="load_dotenv()", also="from dotenv import load_dotenv"))
    return unique(ways) or [environment(module)]


# Packages that read variables through an object of theirs.
OBJECTS = {"dynaconf": "dynaconf", "pydantic_settings": "pydantic-settings"}


def foreign():
    """The package that gives SECRET_KEY its value through an object, "" for none: a
    variable is read as that object is made. And how the key is read from that object, ""
    where the package makes the settings itself."""
    owner, statement = secret_statement()
    if statement is not None and list(reads(owner, statement.value)):
        return "", ""
    for module in modules:
        for node in ast.walk(module.tree):
            named = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in named:
                if name.partition(".")[0] in OBJECTS:
                    return OBJECTS[name.partition(".")[0]], of_object(owner, statement.value if statement is not None else None)
    return "", ""


def of_object(owner, value):
    """How the key is read where SECRET_KEY is an attribute: with the same in front of its
    name, in the same case, and as what that gives out."""
    end = ""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and not value.args:
        value, end = value.func.value, "." + value.func.attr + "()"
    if not isinstance(value, ast.Attribute):
        return ""
    name = setting(value.attr)
    return "%s.%s%s" % (owner.words(value.value), name.lower() if value.attr.islower() else name, end)


def setting(secret):
    """What the key's variable is called as a setting, without what stands before both."""
    before = ASKED["secret_key"][:-len(secret)] if ASKED["secret_key"].upper().endswith(secret.upper()) else ""
    return ASKED["key"][len(before):] if ASKED["key"].upper().startswith(before.upper()) else ASKED["key"]


def environment(module):
    line = bound(module, "os")
    return {"call": "os.environ.get", "form": "get", "import": "" if line else "import os", "line": line, "setup": ""}


def unique(ways):
    out = []
    for way in ways:
        if not any(way["call"] == o["call"] and way["form"] == o["form"] for o in out):
            out.append(way)
    return out[:4]
