# What the loaded project says about itself.

TOKEN_DEFAULTS = {
    "ALGORITHM": "HS256", "USER_ID_CLAIM": "user_id", "TOKEN_TYPE_CLAIM": "token_type", "JTI_CLAIM": "jti",
    "ISSUER": None, "AUDIENCE": None, "AUTH_HEADER_TYPES": ("Bearer",), "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "ACCESS_TOKEN_LIFETIME": 300, "REFRESH_TOKEN_LIFETIME": 86400, "USER_ID_FIELD": "id",
    "SLIDING_TOKEN_LIFETIME": 300, "SLIDING_TOKEN_REFRESH_LIFETIME": 86400,
}

ALGORITHM = re.compile(r"(?:HS|RS|ES|PS)(?:256|384|512)|ES256K|EdDSA|none")


# What makes tokens, by what of it the settings name: the setting with its keys in it,
# the key's name in that, and the algorithm's.
PACKAGES = {
    "simplejwt": ("rest_framework_simplejwt", "SIMPLE_JWT", "SIGNING_KEY", "ALGORITHM"),
    "ninja-jwt": ("ninja_jwt", "NINJA_JWT", "SIGNING_KEY", "ALGORITHM"),
    "graphql-jwt": ("graphql_jwt", "GRAPHQL_JWT", "JWT_SECRET_KEY", "JWT_ALGORITHM"),
    "drf-jwt": ("rest_framework_jwt", "JWT_AUTH", "JWT_SECRET_KEY", "JWT_ALGORITHM"),
    "allauth-headless": ("allauth.headless.tokens.strategies.jwt", "", "SIGNING_KEY", "ALGORITHM"),
}


# The packages that make tokens, by their names on an index.
TOKEN_MAKERS = ("djangorestframework-simplejwt", "django-ninja-jwt", "django-graphql-jwt", "drf-jwt", "djangorestframework-jwt",
                "dj-rest-auth", "djoser", "PyJWT")


def package(settings):
    """The package that makes tokens: one of PACKAGES, "pyjwt" for the project's own
    code, "" for none that is known."""
    told = repr([getattr(settings, name, None) for name in (
        "INSTALLED_APPS", "REST_FRAMEWORK", "MIDDLEWARE", "AUTHENTICATION_BACKENDS", "GRAPHENE", "HEADLESS_TOKEN_STRATEGY")])
    named = [name for name, (module, setting, _, _) in PACKAGES.items()
             if re.search(r"\b%s\b" % re.escape(module), told) or setting and module in sys.modules]
    named += [name for name, (_, setting, _, _) in PACKAGES.items() if setting and getattr(settings, setting, None) is not None and name not in named]
    # django-ninja-jwt reads SIMPLE_JWT where that is there.
    only = getattr(settings, "SIMPLE_JWT", None) is None and getattr(settings, "NINJA_JWT", None) is not None
    if "ninja-jwt" in named and (only or not re.search(r"\brest_framework_simplejwt\b", told)):
        return "ninja-jwt"
    if named:
        return named[0]
    return "pyjwt" if own_tokens()[0] else ""


def own_tokens():
    """Where the project's own code makes tokens with PyJWT: the file, and the line that
    calls it, 0 where that is not seen."""
    jwt = sys.modules.get("jwt")
    users = {}
    for name, module in list(sys.modules.items()) if jwt else ():
        made = vars(module) if isinstance(module, types.ModuleType) else {}
        if (made.get("jwt") is jwt or getattr(jwt, "encode", jwt) in (made.get("encode"), made.get("jwt_encode"))) \
                and in_project(getattr(module, "__file__", None) or ""):
            calls = list(re.finditer(r"\b(?:jwt\s*\.\s*|jwt_)?encode\(", source_text(name)))
            # A token that a key pair signs is for another program.
            found = next((c for c in calls if not re.match(r"(?:[^()]|\([^()]*\))*algorithm\s*=\s*['\"](?:RS|ES|PS|Ed)", source_text(name)[c.end():])), None)
            if calls and not found:
                continue
            users[name] = os.path.realpath(module.__file__), source_text(name).count("\n", 0, found.start()) + 1 if found else 0
    # A module that only checks tokens says less than one that makes them.
    return next((at for at in users.values() if at[1]), next(iter(users.values()), ("", 0)))


def given_tokens(settings):
    """What the settings tell the package, and how that calls the key and the algorithm."""
    kind = package(settings)
    _, setting, key, algorithm = PACKAGES.get(kind, PACKAGES["simplejwt"])
    given = getattr(settings, setting, None) if setting else headless_tokens(settings)
    if kind == "ninja-jwt":
        given = getattr(settings, "SIMPLE_JWT", given)
    return kind, given if isinstance(given, dict) else {}, key, algorithm


def headless_tokens(settings):
    """What allauth's tokens are made by, as simplejwt's settings would say it; allauth has
    a setting for each, and a key pair by default."""
    told = lambda name, default: getattr(settings, "HEADLESS_JWT_" + name, default)
    return {
        "SIGNING_KEY": told("PRIVATE_KEY", ""), "ALGORITHM": told("ALGORITHM", "RS256"),
        "USER_ID_CLAIM": "sub", "TOKEN_TYPE_CLAIM": "token_use", "AUTH_HEADER_TYPES": (told("AUTHORIZATION_HEADER_SCHEME", "Bearer"),),
        "ACCESS_TOKEN_LIFETIME": told("ACCESS_TOKEN_EXPIRES_IN", 300), "REFRESH_TOKEN_LIFETIME": told("REFRESH_TOKEN_EXPIRES_IN", 86400),
        "ROTATE_REFRESH_TOKENS": told("ROTATE_REFRESH_TOKEN", True),
    }


def token_settings(settings):
    _, given, _, algorithm = given_tokens(settings)
    return dict(TOKEN_DEFAULTS, **dict(given, ALGORITHM=given.get(algorithm) or "HS256"))


def signing_key(settings):
    """The key that signs tokens. The packages take SECRET_KEY when they are told nothing;
    an empty key or None is told, and allauth alone goes on to SECRET_KEY."""
    kind, given, key, _ = given_tokens(settings)
    if given.get(key) or key in given and kind in PACKAGES and PACKAGES[kind][1]:
        return given[key]
    if kind in PACKAGES:
        return getattr(settings, "SECRET_KEY", None)
    return getattr(settings, "JWT_SECRET_KEY", None) or getattr(settings, KEY, None)


def beside_key(settings):
    """A fingerprint of what the settings tell the package, but for the key."""
    _, given, key, _ = given_tokens(settings)
    rest = sorted((str(name), re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))) for name, value in given.items() if name != key)
    return seal(repr(rest))


handed_out = set()  # the types of tokens that the routes of simplejwt's own views give


def token_type(told):
    """The type of the tokens that open routes: "access", "sliding", or the project's own. Of
    several, the first that a route gives."""
    kinds = []
    for kind in told.get("AUTH_TOKEN_CLASSES") or ():
        try:
            from django.utils.module_loading import import_string

            kinds.append(str(getattr(import_string(kind) if isinstance(kind, str) else kind, "token_type")))
        except Exception:
            continue
    return next((kind for kind in kinds if kind in handed_out), kinds[0] if kinds else "access")


def key_fact(name, value):
    value = plain(value)
    learn(value)
    source, path, line = source_of(name, value)
    return {"set": bool(value), "length": len(value), "source": source, "file": path, "line": line,
            "sum": seal(value) if value else ""}


def set_before(error, name):
    """What settings that stopped had for a setting by then; "" for nothing."""
    for frame, _ in traceback.walk_tb(error.__traceback__) if error else ():
        if in_project(frame.f_code.co_filename) and plain(frame.f_globals.get(name)):
            return plain(frame.f_globals[name])
    return ""


def key_facts(settings, error=None):
    """The keys as these settings have them; settings is None when they do not load, with
    the error."""
    if settings is None or candidate is not None:
        key = effective(KEY) or set_before(error, KEY)
        secret = plain(getattr(settings, "SECRET_KEY", None)) or set_before(error, "SECRET_KEY") or effective(SECRET)
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
    sliding = token_type(told) == "sliding"
    listed = lambda v: [str(x) for x in v] if isinstance(v, (list, tuple, set)) else [str(v)] if v else []
    try:
        user_id = get_user_model()._meta.get_field(told["USER_ID_FIELD"])
        as_text = not isinstance(user_id, (models.IntegerField, models.AutoField))
    except Exception:
        as_text = False
    return {
        "algorithm": str(told["ALGORITHM"]) if ALGORITHM.fullmatch(str(told["ALGORITHM"])) else MASK,
        "user_id_claim": str(told["USER_ID_CLAIM"]),
        "rotates": sliding or bool(told.get("ROTATE_REFRESH_TOKENS")),
        "token_type": token_type(told), "jwk": bool(told.get("JWK_URL")),
        "token_type_claim": str(told["TOKEN_TYPE_CLAIM"]), "jti_claim": str(told["JTI_CLAIM"] or ""),
        "issuer": str(told["ISSUER"] or ""), "audience": listed(told["AUDIENCE"]),
        "header_types": listed(told["AUTH_HEADER_TYPES"]), "header_name": str(told["AUTH_HEADER_NAME"]),
        "access_seconds": seconds(told["SLIDING_TOKEN_LIFETIME" if sliding else "ACCESS_TOKEN_LIFETIME"]),
        "refresh_seconds": seconds(told["SLIDING_TOKEN_REFRESH_LIFETIME" if sliding else "REFRESH_TOKEN_LIFETIME"]),
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
