# The routes of the project, so that nobody has to say them.

PROTECTED = {"user", "me", "profile", "current-user", "current_user", "currentuser", "whoami", "userinfo", "account"}
HEALTH = {"health", "healthz", "healthcheck", "health-check", "livez", "readyz", "ping", "status", "live", "ready"}
ELSEWHERE = re.compile(r"admin|social|oauth|google|github|facebook|logout|register|schema|docs|swagger|redoc|"
                       r"password|passkey|webauthn|mfa|totp|api-auth|__debug__", re.I)

sign_in = {}  # how the login wants to be asked: the fields of the name and of the password, and what they are in


def walk(patterns, prefix=""):
    """Every route whose arguments are none, or known: (path, name, callback)."""
    for item in patterns:
        part = filled_path(item.pattern)
        if part is None:
            continue
        if hasattr(item, "url_patterns"):
            yield from walk(item.url_patterns, prefix + part)
        elif item.callback is not None:
            yield "/" + (prefix + part).lstrip("/"), item.name or "", item.callback


def language():
    """The language of the settings, as a URL has it."""
    from django.conf import settings
    from django.utils.translation import get_supported_language_variant

    try:
        return get_supported_language_variant(settings.LANGUAGE_CODE)
    except LookupError:
        return settings.LANGUAGE_CODE


def known_values(name):
    """What may stand in a path for an argument of that name."""
    try:
        from rest_framework.settings import api_settings

        param, versions = api_settings.VERSION_PARAM, [api_settings.DEFAULT_VERSION] + list(api_settings.ALLOWED_VERSIONS or ())
    except Exception:
        param, versions = "version", []
    if name in (param, "version", "api_version", "ver"):
        return [str(v) for v in versions if v]
    return [language()] if re.search(r"lang|locale", name) else []


def version_asked():
    """What an Accept header must say where the project's versions are told in it, and none is
    the default; "" else."""
    try:
        from rest_framework.settings import api_settings
        from rest_framework.versioning import AcceptHeaderVersioning

        if issubclass(api_settings.DEFAULT_VERSIONING_CLASS, AcceptHeaderVersioning) and api_settings.DEFAULT_VERSION is None:
            return "%s=%s" % (api_settings.VERSION_PARAM, known_values("version")[0])
    except Exception:
        pass
    return ""


def filled_path(pattern):
    """The part of a path that a pattern matches, None where it is not known."""
    if hasattr(pattern, "language_prefix"):
        from django.conf import settings

        told = str(pattern)
        return language() + "/" if told and any("LocaleMiddleware" in m for m in settings.MIDDLEWARE) else told
    if hasattr(pattern, "_regex"):
        return filled_regex(str(pattern._regex))
    text = str(pattern)
    for name, converter in (getattr(pattern, "converters", None) or {}).items():
        value = next((v for v in known_values(name) if re.fullmatch(converter.regex, v)), None)
        if value is None:
            return None
        text = re.sub(r"<(?:[^<>:]+:)?%s>" % re.escape(name), lambda _: value, text)
    return text


def filled_regex(text):
    text = re.sub(r"^\^|(\$|\\Z)$", "", text)
    while True:
        # The innermost group, with what it is called.
        group = re.search(r"\((?:\?P<(\w+)>|\?:)?([^()]*)\)(?![?*+{])", text)
        if not group:
            break
        name, inside = group.groups()
        # One without a name may be the inside of one that has it.
        ways = (known_values(name) if name else known_values("version") + known_values("language")) + [re.sub(r"\\([.-])", r"\1", w) for w in inside.split("|")]
        value = next((w for w in ways if re.fullmatch(r"[\w.-]+", w) and matches(inside, w)), None)
        if value is None:
            return None
        # A group around this one has the same name's value inside of it.
        text = text[:group.start()] + re.sub(r"([.-])", r"\\\1", value) + text[group.end():]
    text = re.sub(r"/\?$", "/", text.replace("\\.", ".").replace("\\-", "-").replace("\\/", "/"))
    return None if re.search(r"[()\[\]*+?^$|\\{}]", text) else text


def matches(pattern, text):
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


class View:
    """One route, with what its view class tells."""

    def __init__(self, path, name, callback):
        self.path, self.name, self.callback = path, name.lower(), callback
        self.parts = [p for p in path.lower().split("/") if p]
        self.last = self.parts[-1] if self.parts else ""
        while not hasattr(callback, "cls") and not hasattr(callback, "view_class") and hasattr(callback, "__wrapped__"):
            callback = callback.__wrapped__
        self.cls = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
        self.rest = hasattr(callback, "cls")
        actions = getattr(callback, "actions", None)
        if actions:
            self.methods = set(actions)
        elif self.cls:
            self.methods = {m for m in ("get", "post") if hasattr(self.cls, m)}
        else:
            self.methods = {"get", "post"}
        initial = getattr(callback, "initkwargs", None) or {}
        self.permissions = initial.get("permission_classes", getattr(self.cls, "permission_classes", ())) or ()
        self.foreign = str(getattr(callback, "__module__", "")).startswith("django.contrib.")
        file = os.path.realpath(getattr(sys.modules.get(getattr(self.cls, "__module__", "")), "__file__", None) or os.sep)
        self.own = file.startswith(os.path.join(os.path.realpath(ASKED["root"]), "")) and "site-packages" not in file
        self.base = {c.__name__ for c in getattr(self.cls, "__mro__", ())}
        # django-ninja has several operations behind one path.
        self.operations = getattr(getattr(callback, "__self__", None), "operations", ())
        if self.operations:
            self.methods = {m.lower() for o in self.operations for m in o.methods}
        self.module = str(getattr(self.cls or callback, "__module__", ""))
        base = 10 if "api" in self.parts else 0
        base += 3 if any(re.match(r"v\d", p) for p in self.parts) else 0
        self.worth = base - len(self.parts) - (60 if ELSEWHERE.search(path) else 0)

    def wants_login(self):
        def names(permission):
            kinds = [permission] if isinstance(permission, type) else \
                [getattr(permission, "op1_class", None), getattr(permission, "op2_class", None)]
            for kind in kinds:
                if isinstance(kind, type):
                    yield from (c.__name__ for c in kind.__mro__)
                elif kind is not None:
                    yield from names(kind)

        for operation in self.operations:
            if "GET" in operation.methods:
                return any(re.search("JWT", c.__name__) for a in getattr(operation, "auth_callbacks", ()) for c in type(a).__mro__)
        return self.rest and any("IsAuthenticated" in names(p) for p in self.permissions)


def login_score(v):
    if v.base & {"TokenObtainPairView", "TokenObtainSlidingView"}:
        return 110 if ("TokenObtainSlidingView" in v.base) == sliding else 100
    if "post" not in v.methods:
        return 0
    if v.last in ("login", "signin", "sign-in", "log-in"):
        return 95 if v.module.startswith("allauth") and "app" in v.parts else 90
    if v.last == "obtain" or v.name in ("token_obtain_pair", "token_obtain_sliding", "token_obtain", "login") or v.path.endswith("jwt/create/"):
        return 80
    return 30 if v.last == "token" else 0


def refresh_score(v):
    if v.base & {"TokenRefreshView", "RefreshViewWithCookieSupport", "TokenRefreshSlidingView"}:
        return 110 if ("TokenRefreshSlidingView" in v.base) == sliding else 100
    if v.module.startswith("allauth.headless") and not headless_renews():
        return 0
    return 70 if "post" in v.methods and ("refresh" in v.last or "refresh" in v.name) else 0


def headless_renews():
    """Tells whether the tokens that allauth's API hands out can be renewed there: a
    strategy of the project's own may have its tokens from another package."""
    try:
        from allauth.headless import app_settings
        from allauth.headless.tokens.strategies.base import AbstractTokenStrategy

        return type(app_settings.TOKEN_STRATEGY).refresh_token is not AbstractTokenStrategy.refresh_token
    except Exception:
        return True


def verify_score(v):
    if "TokenVerifyView" in v.base:
        return 100
    return 70 if "post" in v.methods and re.search(r"(token|jwt)[/_-]verify/?$", v.path) else 0


def protected_score(v):
    if "get" not in v.methods:
        return 0
    named = v.last in PROTECTED or re.search(r"current.?user|user.?me|whoami", v.name)
    if named:
        return 100 if v.wants_login() else 60 if not v.rest and "api" in v.parts else 0
    return 40 if v.wants_login() and not re.search(r"export|download|delete|stats", v.path) else 0


def csrf_score(v):
    return 100 if "get" in v.methods and ("csrf" in v.last or "csrf" in v.name) else 0


def health_score(v):
    return 100 if "get" in v.methods and (v.last in HEALTH or v.name in HEALTH) else 0


SCORES = {"login": login_score, "refresh": refresh_score, "verify": verify_score, "protected": protected_score,
          "csrf": csrf_score, "health": health_score}


sliding = False  # the tokens that open routes are sliding ones


def route_facts():
    global sliding
    routes, best = dict.fromkeys([*SCORES, "version"], ""), dict.fromkeys(SCORES, 0)
    login = None
    try:
        from django.urls import get_resolver

        views = [View(*found) for found in walk(get_resolver().url_patterns)]
        given = {"TokenObtainPairView": "access", "TokenObtainSlidingView": "sliding"}
        handed_out.update(given[base] for v in views for base in given.keys() & v.base)
        sliding = token_type(token_settings(live)) == "sliding"
        routes["version"] = version_asked()
    except Exception:
        return routes, []  # the system checks name the reason
    for kind, score in SCORES.items():
        for v in views:
            rank = score(v) and not v.foreign and score(v) + v.worth
            if rank and rank > best[kind]:
                best[kind], routes[kind] = rank, v.path
                login = v if kind == "login" else login
    sign_in.clear()
    sign_in.update(login_fields(login))
    return routes, own_routes(views)


def own_routes(views):
    """Two routes by which this project is known among others: one of a view of its own
    at least, and none whose code an OPTIONS request would run. A login is counted."""
    safe = [v for v in views if v.cls and not v.foreign and not login_score(v) and not ELSEWHERE.search(v.path)]
    safe.sort(key=lambda v: (not v.own, -len(v.parts), v.path))
    paths = list(dict.fromkeys(v.path for v in safe))
    return paths[:2] if len(paths) > 1 and safe[0].own else []


def login_fields(view):
    """The fields of a login, as its serializer and the settings have them."""
    from django.contrib.auth import get_user_model

    name = str(getattr(get_user_model(), "USERNAME_FIELD", "username"))
    told = {"name": name, "password": "password"}
    fields = {}
    try:
        kind = getattr(view.cls, "serializer_class", None)
        made = view.cls(**(getattr(view, "initkwargs", None) or {}))
        try:
            kind = made.get_serializer_class() or kind
        except Exception:
            pass
        fields = kind().fields
    except Exception:
        pass
    nested = {n: f.fields for n, f in fields.items() if hasattr(f, "fields") and not f.read_only and any(SECRET_FIELD.search(m) for m in f.fields)}
    if nested:
        told["inside"], fields = next(iter(nested.items()))
    names = [n for n, f in fields.items() if not f.read_only]
    taken = taken_from_body(view)
    if not fields and any(SECRET_FIELD.search(n) for n in taken):
        names = taken
    elif len(taken) == 1 and taken[0] not in fields:
        told["inside"] = taken[0]
    secret = [n for n in names if SECRET_FIELD.search(n)]
    secret += [n for n in names if n not in secret and (getattr(fields.get(n), "style", None) or {}).get("input_type") == "password"]
    if not secret and len(names) == 2:
        secret = [n for n in names if getattr(fields.get(n), "write_only", False)][:1]
    if secret:
        told["password"] = secret[0]
    rest = [n for n in names if n not in secret and VARIABLE.fullmatch(n)]
    by = allauth_names() if view and any(re.match(r"allauth|dj_rest_auth", str(c.__module__)) for c in getattr(view.cls, "__mro__", ())) or view and view.module.startswith("allauth") else []
    by += [name] + [n for n in rest if getattr(fields.get(n), "required", False)]
    for candidate in by:
        if not rest or candidate in rest:
            told["name"] = candidate
            return told
    if rest:
        told["name"] = next((n for n in rest if re.search(r"user|mail|login|name|phone|ident", n, re.I)), rest[0])
    return told


SECRET_FIELD = re.compile(r"pass|pwd|clave|senha|contrase|parol|kennwort|^pin$|_pin$|secret", re.I)
TAKES = re.compile(r"\b(?:request\.data|data|body|payload|credentials)(?:\.get\(|\.pop\(|\[)\s*['\"](\w+)['\"]")


def taken_from_body(view):
    """The names that the code of a login takes out of the body by itself, in order; none
    where a serializer gets the whole body."""
    import inspect

    try:
        code = getattr(view.cls, "post", None) or view.callback
        for cell in getattr(code, "__closure__", None) or ():  # of a function with api_view, or a decorator
            if inspect.isfunction(cell.cell_contents):
                code = cell.cell_contents
        text = inspect.getsource(inspect.unwrap(code))
    except Exception:
        return []
    return [] if re.search(r"\bdata\s*=\s*request\.data\s*[,)]", text) else list(dict.fromkeys(TAKES.findall(text)))


def allauth_names():
    """The fields that allauth takes a login by."""
    try:
        from allauth.account import app_settings

        methods = getattr(app_settings, "LOGIN_METHODS", None) or [str(app_settings.AUTHENTICATION_METHOD)]
        names = [str(getattr(m, "value", m)) for m in methods]
        return sorted((n for n in names if n in ("username", "email", "phone")), key=["username", "email", "phone"].index)
    except Exception:
        return []
