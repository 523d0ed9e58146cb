# A worker: one process with one evaluation of the settings in it, which tells what came
# of it, sets Django up if it is to, and then answers questions until they end.

import pickle

live = None      # the settings, None when they do not load
given = {}      # them as they were evaluated, as of values
started = False  # start was called in this process, or in the one that it was forked from


class Ended(BaseException):
    """keysplit asks this process to end."""


class Refused(Exception):
    """A question that has no answer; its text is for a person and holds no value."""


def base_facts():
    name = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    return {
        "settings_module": name, "settings_file": os.path.realpath(getattr(sys.modules.get(name), "__file__", None) or ""),
        "debug": bool(getattr(live, "DEBUG", False)), "reader": reader_in_use(), "reader_files": [path for _, path in opened],
        "looked": [path for _, path in looked], "modules": files_of_modules(),
    }


def load(overlay):
    """Evaluates the settings under an overlay: the facts of the keys, or the error with
    what is known of them all the same."""
    global candidate, live
    if ASKED["env_file"]:
        learn_file(ASKED["env_file"])
    for name, value in [*ENVIRON.items(), *(overlay.get("handed") or {}).items()]:
        learn_named(name, value)
    outside = set() if ASKED.get("same") else set(learned)  # keysplit reads those itself
    for name, value in (overlay.get("env") or {}).items():
        learn_named(name, value)
    try:
        if not started:
            start()
        candidate = overlay.get("candidate")
        learn(candidate)
        lay_over(overlay)
        settings = evaluate()
        live = settings
        if isinstance(settings, sys.modules["django.conf"].Settings):
            sys.modules["django.conf"].settings._wrapped = settings
        settle(settings)  # an object of dynaconf fills its values in as they are read
        learn_module({name: getattr(settings, name, None) for name in dir(settings) if name.isupper()})
        learn(signing_key(settings))
        facts = key_facts(settings)
    except (Exception, SystemExit) as error:
        live = None
        told, about = explain(error), names_key(error)
        return dict(key_facts(None, error), missing=missing(error), value_file=value_file_of(KEY), error=told, sum=seal(str(error)), about_key=about, exit=isinstance(error, SystemExit),
                    state=state_of(error), refused=about or KEY in told["setting"],
                    reader=reader_in_use(), reader_files=[path for _, path in opened], looked=[path for _, path in looked])
    return dict(facts, proved=bool(candidate) and plain(signing_key(settings)) == candidate, beside_key=beside_key(settings), state="ok", state_error="", marks=marks(learned - outside), names=sorted(names), **base_facts())


def tell(_):
    """Sets Django up, and tells the rest."""
    global given
    import django

    given = values(None)["values"]
    django.setup()
    from django.contrib.auth import get_user_model

    routes, own = route_facts()  # it loads the views, which say what makes tokens
    hosts = getattr(live, "ALLOWED_HOSTS", None)
    return dict(
        key_facts(live), package=package(live), **dict(zip(("tokens_file", "tokens_line"), own_tokens())), django=django.get_version(), python="%d.%d.%d" % sys.version_info[:3],
        apps=[str(a) for a in live.INSTALLED_APPS], user_model=str(live.AUTH_USER_MODEL),
        username_field=sign_in.get("name") or str(getattr(get_user_model(), "USERNAME_FIELD", "")),
        password_field=sign_in.get("password", ""), login_inside=sign_in.get("inside", ""), tokens=token_facts(live) if package(live) in PACKAGES else {}, checks=check_facts(),
        app_modules=files_of_modules(), versions=files_of_versions(), routes=routes, own_routes=own, hosts=[str(h) for h in hosts if h != "*"] if isinstance(hosts, (list, tuple, set)) else [])


def files_of_versions():
    """The files in which pip keeps the versions of what a proof rests on."""
    try:
        from importlib.metadata import PackageNotFoundError, distribution
    except ImportError:  # Python 3.7
        return []
    found = []
    for name in ("Django", "djangorestframework", *TOKEN_MAKERS):
        try:
            at = str(getattr(distribution(name), "_path", ""))
        except PackageNotFoundError:
            continue
        found += [path for path in (os.path.join(at, "METADATA"), os.path.join(at, "PKG-INFO"), at) if os.path.isfile(path)][:1]
    return found


def values(_):
    """Every setting, for another worker; null for one that cannot be passed on."""
    told = {}
    for name in dir(live):
        if name.isupper():
            try:
                told[name] = base64.b64encode(pickle.dumps(getattr(live, name))).decode("ascii")
            except Exception:
                told[name] = None
    return {"values": told}


def take(question):
    """Takes over the settings of another worker where they differ from those that this
    one began with, and runs the system checks. What apps have set since then stays."""
    from django.conf import settings

    new = question["values"]
    for name in [n for n in given if n not in new]:
        delattr(settings, name)
    for name, value in new.items():
        if value is not None and value != given.get(name):
            setattr(settings, name, pickle.loads(base64.b64decode(value)))
    given.clear()
    given.update(new)
    return {"checks": check_facts()}


def sign(question):
    if question["which"] == "SECRET_KEY":
        key = plain(getattr(live, "SECRET_KEY", None)) or effective(SECRET)
    elif candidate is None and live is not None:
        key = plain(signing_key(live))
    else:
        key = None
    kind = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(question["algorithm"])
    if not key or kind is None:
        raise Refused("there is no such key or algorithm to sign with")
    key = key.encode("utf-8")
    signed = hmac.new(key, base64.b64decode(question["input"]), kind).digest()
    return {"signature": base64.b64encode(signed).decode("ascii")}


def own_secret(_):
    """SECRET_KEY, for another worker; keysplit does not ask for it."""
    return {"secret": plain(getattr(live, "SECRET_KEY", None)) or effective(SECRET)}


QUESTIONS = {"tell": tell, "secret": own_secret, "values": values, "take": take, "sign": sign, "name-user": name_user, "create-user": create_user,
             "delete-user": delete_user, "remove-user": remove_user}


def reply_to(output, work):
    try:
        reply = work()
    except (Exception, SystemExit) as error:
        reply = {"error": explain(error)}
    CHANNEL.answer(dict(reply, output=output.lines()))


def work(overlay):
    """The life of a worker. It does not return."""
    try:
        signal.signal(signal.SIGTERM, end)
        output = Output()
        reply_to(output, lambda: load(overlay))
        for question in iter(CHANNEL.question, None):
            reply_to(output, lambda: QUESTIONS[question["ask"]](question))
    except Ended:
        pass
    finally:
        try:
            delete_user(None)
        finally:
            # Threads of the project, and exit handlers that wait for them, are
            # not ours to wait for.
            os._exit(0)


def end(*_):
    raise Ended
