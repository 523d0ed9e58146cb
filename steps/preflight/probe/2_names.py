# Which variables the settings ask for, and which of them holds which key.

asked = []   # the names in the order in which they were first asked for
last = None  # the name that was asked for last


class Watched(type(os.environ)):
    """The environment, which notes the names that it is asked for."""

    def __getitem__(self, key):
        note(key)
        return super().__getitem__(key)


os.environ.__class__ = Watched

VARIABLE = re.compile(r"[A-Za-z_]\w{0,99}")
SIGNS = re.compile(r"(?=.*(?:JWT|SIGN|TOKEN|AUTH))(?=.*(?:KEY|SECRET))(?!.*(?:PUBLIC|VERIFY))|(?:^|_)JWT$", re.I)
# A name with no value is told by its words alone. Lifetimes, issuers and the secrets of
# other services (OAUTH_SECRET) are none.
NAMES_KEY = re.compile(r"(?=.*(?:JWT|SIGNING))(?=.*(?:KEY|SECRET))(?!.*(?:PUBLIC|VERIFY|_ID$))|(?:^|_)JWT$", re.I)
SESSIONS = re.compile(r"SECRET|KEY", re.I)
# Such a variable says where a secret is, or what it is called there.
POINTS = re.compile(r"(?:^|_)(?:NAME|PATH|FILE|DIR|ARN|ID|PARAM|PARAMETER|VERSION|URL)(?:_|$)", re.I)


def note(name):
    global last
    if watching and isinstance(name, str):
        last = name
        if name not in asked:
            asked.append(name)


def use_names(names):
    """Takes other names for the two keys, here and in the processes that are made."""
    global KEY, SECRET
    KEY, SECRET = names["key"], names["secret_key"]
    ASKED["variables"] = dict(names)


def is_variable(name):
    """Whether a name that was asked for stands in the project's code, whole or behind a
    prefix: a reader may take a value for a name."""
    if not isinstance(name, str) or not VARIABLE.fullmatch(name):
        return False
    low = lower(name)
    return low in names_in_code or low in (lower(KEY), lower(SECRET)) or any(low.endswith("_" + known) for known in names_in_code)


def read_code(error=None):
    """Learns the names that stand in the project's code, as far as it ran."""
    paths = [getattr(sys.modules.get(name), "__file__", None) for name in ours]
    for frame, _ in traceback.walk_tb(error.__traceback__) if error else ():
        paths.append(frame.f_code.co_filename)
    for path in paths:
        if path and in_project(path):
            words_of(path)


def plain(value):
    """A key as text; "" for what is none."""
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def holders(value):
    """The variables that hold a value, those that were asked for first."""
    if not value:
        return []
    found = [n for n in asked if is_variable(n) and (effective(n) or "").strip() == value.strip()]
    # django-environ takes a value that begins with a dollar for another variable's name.
    found += [n for n in asked if is_variable(n) and re.fullmatch(r"\$\w+", effective(n) or "") and (effective(effective(n)[1:]) or "").strip() == value.strip()]
    for reader, path in opened:
        found += [n for n, v in values_of(reader, path).items() if isinstance(v, str) and v.strip() == value.strip()]
    found += [n for n, v in os.environ.items() if v.strip() == value.strip()]
    return [n for n in dict.fromkeys(found) if VARIABLE.fullmatch(n)]


def settle(settings):
    """Finds the names in force, once the settings are there."""
    read_code()
    signing, secret = plain(signing_key(settings)), plain(getattr(settings, "SECRET_KEY", None))
    named = ASKED.get("configured") or ()
    unset = [n for n in asked if is_variable(n) and effective(n) is None and not POINTS.search(n)]

    def best(found, expected, like):
        alike = [n for n in found if n == expected] + [n for n in found if like(n)]
        return (alike or [expected])[0]

    names = {"key": KEY, "secret_key": SECRET}
    if "secret_key" not in named:
        django = lambda n: SESSIONS.search(n) and not SIGNS.search(n)
        found = holders(secret)
        names["secret_key"] = best(found, SECRET, django) if found else best(unset, SECRET, lambda n: n.upper().endswith("SECRET_KEY") and django(n))
        if found and names["secret_key"] not in found:
            names["secret_key"] = found[0]
    if "key" not in named and candidate is None:
        found = [n for n in holders(signing) if n != names["secret_key"]]
        names["key"] = best(found, KEY, SIGNS.search) if found else KEY if KEY in asked else best(unset, KEY, NAMES_KEY.search)
        if found and signing != secret and names["key"] not in found:
            names["key"] = found[0]
    if names["key"] == names["secret_key"]:
        names["key"] = KEY if KEY != SECRET else "JWT_SECRET_KEY"
    use_names(names)


def missing(error):
    """The variables that settings did not find, as far as the error tells, which may be
    the key."""
    read_code(error)
    found = [last] if last and effective(last) is None else []
    if isinstance(error, KeyError) and error.args:
        found.append(error.args[0])
    found += missing_fields(error)
    return [n for n in dict.fromkeys(found) if is_variable(n) and SIGNS.search(n) and not POINTS.search(n)][:3]


def missing_fields(error):
    """The same of pydantic's settings, which look for their fields in the environment."""
    if not callable(getattr(error, "errors", None)):
        return
    of = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for owner in (frame.f_locals.get("__pydantic_self__"), frame.f_locals.get("self")):
            if hasattr(type(owner), "model_config") and hasattr(type(owner), "model_fields"):
                of = type(owner)
    try:
        places = [e["loc"] for e in error.errors() if "missing" in str(e.get("type"))]
    except Exception:
        return
    for place in places:
        config = getattr(of, "model_config", {})
        name = (config.get("env_nested_delimiter") or "__").join(str(part) for part in place)
        if place and place[0] in getattr(of, "model_fields", {}):
            name = (config.get("env_prefix") or "") + name
        names_in_code.add(lower(name))  # it is made of names
        yield name if config.get("case_sensitive") else name.upper()
