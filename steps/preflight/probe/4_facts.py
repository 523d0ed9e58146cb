# What the loaded project says about itself.

TOKEN_DEFAULTS = {
    "ALGORITHM": "HS256", "USER_ID_CLAIM": "user_id", "TOKEN_TYPE_CLAIM": "token_type", "JTI_CLAIM": "jti",
    "ISSUER": None, "AUDIENCE": None, "AUTH_HEADER_TYPES": ("Bearer",), "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "ACCESS_TOKEN_LIFETIME": 300, "REFRESH_TOKEN_LIFETIME": 86400, "USER_ID_FIELD": "id",
}

ALGORITHM = re.compile(r"(?:HS|RS|ES|PS)(?:256|384|512)|ES256K|EdDSA|none")
PROTECTED = {"user", "me", "profile", "current-user", "current_user", "currentuser", "whoami", "userinfo", "account"}
HEALTH = {"health", "healthz", "healthcheck", "health-check", "livez", "readyz", "ping", "status", "live", "ready"}
ELSEWHERE = re.compile(r"admin|social|oauth|google|github|facebook|logout|register|schema|docs|swagger|redoc|"
                       r"password|passkey|webauthn|mfa|totp|api-auth|__debug__", re.I)


def token_settings(settings):
    given = getattr(settings, "SIMPLE_JWT", None)
    return dict(TOKEN_DEFAULTS, **(given if isinstance(given, dict) else {}))


def signing_key(settings):
    """The key that signs tokens. simplejwt takes SECRET_KEY when it is told nothing."""
    given = getattr(settings, "SIMPLE_JWT", None)
    if isinstance(given, dict) and given.get("SIGNING_KEY"):
        return given["SIGNING_KEY"]
    told = repr((given, getattr(settings, "REST_FRAMEWORK", None), getattr(settings, "INSTALLED_APPS", None)))
    if given is not None or "simplejwt" in told or "rest_framework_simplejwt" in sys.modules:
        return getattr(settings, "SECRET_KEY", None)
    return getattr(settings, "JWT_SECRET_KEY", None) or getattr(settings, KEY, None)


def key_fact(name, value):
    value = plain(value)
    learn(value)
    source, path = source_of(name, value)
    return {"set": bool(value), "length": len(value), "source": source, "file": path,
            "sum": seal(value) if value else ""}


def key_facts(settings):
    """The keys as these settings have them; settings is None when they do not load."""
    if settings is None or candidate is not None:
        key = effective(KEY)
        secret = plain(getattr(settings, "SECRET_KEY", None)) or effective(SECRET)
        signing = None
    else:
        secret, signing = plain(getattr(settings, "SECRET_KEY", None)), plain(signing_key(settings))
        key = plain(getattr(settings, "JWT_SECRET_KEY", None)) or plain(getattr(settings, KEY, None))
        if not key and signing and (signing != secret or signing == effective(KEY)):
            key = signing
    return {
        "variables": {"key": KEY, "secret_key": SECRET},
        "key": key_fact(KEY, key), "secret_key": key_fact(SECRET, secret),
        "signing_equals_secret_key": bool(signing) and signing == secret,
        "signing_equals_key": bool(signing) and signing == key,
    }


def seconds(value):
    return int(value.total_seconds()) if hasattr(value, "total_seconds") else int(value or 0)


def token_facts(settings):
    from django.contrib.auth import get_user_model
    from django.db import models

    told = token_settings(settings)
    listed = lambda v: [str(x) for x in v] if isinstance(v, (list, tuple, set)) else [str(v)] if v else []
    try:
        user_id = get_user_model()._meta.get_field(told["USER_ID_FIELD"])
        as_text = not isinstance(user_id, (models.IntegerField, models.AutoField))
    except Exception:
        as_text = False
    return {
        "algorithm": str(told["ALGORITHM"]) if ALGORITHM.fullmatch(str(told["ALGORITHM"])) else MASK,
        "user_id_claim": str(told["USER_ID_CLAIM"]),
        "token_type_claim": str(told["TOKEN_TYPE_CLAIM"]), "jti_claim": str(told["JTI_CLAIM"] or ""),
        "issuer": str(told["ISSUER"] or ""), "audience": listed(told["AUDIENCE"]),
        "header_types": listed(told["AUTH_HEADER_TYPES"]), "header_name": str(told["AUTH_HEADER_NAME"]),
        "access_seconds": seconds(told["ACCESS_TOKEN_LIFETIME"]),
        "refresh_seconds": seconds(told["REFRESH_TOKEN_LIFETIME"]),
        "user_id_text": as_text,
    }


def check_facts():
    from django.core import checks

    try:
        found = [m for m in checks.run_checks() if not m.is_silenced()]
    except Exception as error:
        told = explain(error)
        where = " (%s, line %d)" % (os.path.basename(told["file"]), told["line"]) if told["file"] else ""
        return [{"level": 40, "id": "", "message": "the checks stop with %s: %s%s" % (
            told["type"], told["text"], where)}]
    from django.core.checks.registry import registry

    functions = registry.get_checks(include_deployment_checks=True)
    return [{"level": int(m.level), "id": check_text(str(m.id or ""), functions),
             "message": check_text(str(m.msg), functions)} for m in found]


def walk(patterns, prefix=""):
    """Every route without arguments: (path, name, callback)."""
    for item in patterns:
        part = plain_path(item.pattern)
        if part is None:
            continue
        if hasattr(item, "url_patterns"):
            yield from walk(item.url_patterns, prefix + part)
        elif item.callback is not None:
            yield "/" + (prefix + part).lstrip("/"), item.name or "", item.callback


def plain_path(pattern):
    if hasattr(pattern, "_regex"):
        text = re.sub(r"^\^|(\$|\\Z)$", "", str(pattern._regex)).replace("\\.", ".").replace("\\-", "-")
        text = re.sub(r"/\?$", "/", text)
        return None if re.search(r"[()\[\]*+?^$|\\{}]", text) else text
    if getattr(pattern, "converters", None):
        return None
    return str(pattern)


class View:
    """One route, with what its view class tells."""

    def __init__(self, path, name, callback):
        self.path, self.name = path, name.lower()
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

        return self.rest and any("IsAuthenticated" in names(p) for p in self.permissions)


def login_score(v):
    if "TokenObtainPairView" in v.base:
        return 100
    if "post" not in v.methods:
        return 0
    if v.last in ("login", "signin", "sign-in", "log-in"):
        return 90
    if v.last == "obtain" or v.name in ("token_obtain_pair", "token_obtain", "login") or v.path.endswith("jwt/create/"):
        return 80
    return 30 if v.last == "token" else 0


def refresh_score(v):
    if v.base & {"TokenRefreshView", "RefreshViewWithCookieSupport"}:
        return 100
    return 70 if "post" in v.methods and ("refresh" in v.last or "refresh" in v.name) else 0


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


def route_facts():
    routes = dict.fromkeys(SCORES, "")
    try:
        from django.urls import get_resolver

        views = [View(*found) for found in walk(get_resolver().url_patterns)]
    except Exception:
        return routes, []  # the system checks name the reason
    for kind, score in SCORES.items():
        best = 0
        for v in views:
            rank = score(v) and not v.foreign and score(v) + v.worth
            if rank and rank > best:
                best, routes[kind] = rank, v.path
    return routes, own_routes(views)


def own_routes(views):
    """Two routes by which this project is known among others: one of a view of its own
    at least, and none whose code an OPTIONS request would run. A login is counted."""
    safe = [v for v in views if v.cls and not v.foreign and not login_score(v) and not ELSEWHERE.search(v.path)]
    safe.sort(key=lambda v: (not v.own, -len(v.parts), v.path))
    paths = list(dict.fromkeys(v.path for v in safe))
    return paths[:2] if len(paths) > 1 and safe[0].own else []
