# The session: one start of Django, then an answer to each question until the
# questions end.

import random
import secrets
import string

account = None  # the throwaway user's primary key
MENDED = {}     # values that the .env will have once its glued lines are split
outside = set()  # secrets that keysplit reads itself: of the .env and the environment
live = None     # the settings in force, None while the last evaluation failed


class Ended(BaseException):
    """keysplit asks this process to end."""


class Refused(Exception):
    """A question that has no answer; its text is for a person and holds no value."""


def base_facts(settings):
    import django

    name = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    module = sys.modules.get(name)
    return {
        "django": django.get_version(), "python": "%d.%d.%d" % sys.version_info[:3],
        "settings_module": name, "settings_file": os.path.realpath(getattr(module, "__file__", None) or ""),
        "debug": bool(getattr(settings, "DEBUG", False)),
        "reader": reader_in_use(), "reader_files": [path for _, path in opened],
    }


def load():
    """The first evaluation. When it is the key that is refused, a second one with
    a throwaway key tells the rest. Returns settings, state and the refusal."""
    global candidate
    try:
        return evaluate(), "ok", ""
    except (Exception, SystemExit) as error:
        first, told = error, explain(error)
    if told["kind"] in ("syntax", "module", "encoding"):
        raise first
    candidate = secrets.token_urlsafe(64)
    learn(candidate)
    try:
        return evaluate(pin=True, value=candidate), state_of(first), told["text"]
    except (Exception, SystemExit) as error:
        candidate = None
        # Both the key and something else are wrong. The other thing comes to
        # light only now, and must be put right whatever the key is.
        if names_key(first) and str(error) != str(first):
            raise error
        raise first


def begin():
    global SEARCH, live, facts
    if ASKED["env_file"]:
        learn_file(ASKED["env_file"])
    for name, value in ENVIRON.items():
        learn_named(name, value)
    outside.update(learned)
    MENDED.update(ASKED["mended"] or {})
    ENVIRON.update(MENDED)
    SEARCH = start()
    settings, state, refusal = load()
    import django
    import django.conf

    django.conf.settings._wrapped = settings
    facts = {}
    learn_settings(settings)
    live = settings
    facts.update(base_facts(settings))
    facts["enforced"], facts["fallback"] = (True, False) if state == "key-missing" else enforced()
    django.setup()
    from django.contrib.auth import get_user_model

    facts.update(key_facts(settings), state=state, state_error=refusal, candidate=candidate is not None,
                 apps=[str(a) for a in settings.INSTALLED_APPS], user_model=str(settings.AUTH_USER_MODEL))
    facts["username_field"] = str(getattr(get_user_model(), "USERNAME_FIELD", ""))
    facts["simplejwt"] = "rest_framework_simplejwt" in sys.modules
    facts["tokens"] = token_facts(settings) if facts["simplejwt"] or hasattr(settings, "SIMPLE_JWT") else {}
    facts["checks"] = check_facts()
    facts["routes"] = route_facts()
    return facts


def learn_settings(settings):
    learn_module({name: getattr(settings, name, None) for name in dir(settings) if name.isupper()})
    learn(signing_key(settings))
    facts.update(marks=marks(learned - outside), names=sorted(names))


def recheck(_):
    """The settings as the files are now, with no throwaway key."""
    global candidate, live
    import django.conf

    candidate, live = None, None
    opened.clear()
    for name in MENDED:
        ENVIRON.pop(name, None)
    MENDED.clear()
    if ASKED["env_file"]:
        learn_file(ASKED["env_file"])
    now = dict(facts, candidate=False)
    try:
        settings = evaluate()
    except (Exception, SystemExit) as error:
        told = explain(error)
        refused = names_key(error) or KEY in told["setting"]
        now.update(key_facts(None), state=state_of(error) if refused else "error", state_error=told["text"],
                   checks=[], reader_files=[path for _, path in opened])
        return now
    learn_settings(settings)
    django.conf.settings._wrapped = settings
    live = settings
    now.update(base_facts(settings), marks=facts["marks"], **key_facts(settings))
    now.update(state="ok", state_error="", checks=check_facts())
    return now


def sign(question):
    if question["which"] == SECRET:
        key = getattr(live, SECRET, None) or effective(SECRET)
    elif candidate is None and live is not None:
        key = signing_key(live)
    else:
        key = None
    kind = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(question["algorithm"])
    if not key or kind is None:
        raise Refused("there is no such key or algorithm to sign with")
    key = key.encode("utf-8") if isinstance(key, str) else key
    signed = hmac.new(key, base64.b64decode(question["input"]), kind).digest()
    return {"signature": base64.b64encode(signed).decode("ascii")}


def filler(field, tag):
    """A value that a required field of a user model takes."""
    from django.db import models
    from django.utils import timezone

    if getattr(field, "choices", None):
        return list(field.flatchoices)[0][0]
    if isinstance(field, models.EmailField):
        return tag + "@example.invalid"
    if isinstance(field, models.BooleanField):
        return True
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.now().date()
    if isinstance(field, (models.IntegerField, models.DecimalField, models.FloatField)):
        return random.SystemRandom().randrange(1, 1 << 15) if field.unique else 0
    if isinstance(field, (models.CharField, models.TextField)):
        digits = "".join(random.SystemRandom().choice(string.digits) for _ in range(12))
        text = "+1" + digits[:10] if re.search(r"phone|mobile", field.name) else tag
        return text[-(field.max_length or 64):]
    raise Refused("the user model wants a %s, which keysplit cannot make up" % field.name)


def create_user(_):
    global account
    from django.conf import settings
    from django.contrib.auth import get_user_model

    if account is not None:
        delete_user(None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    model = get_user_model()
    tag = "keysplit-" + secrets.token_hex(6)
    password = secrets.token_urlsafe(24) + "aA1!"
    names = [model.USERNAME_FIELD] + [n for n in model.REQUIRED_FIELDS if n != model.USERNAME_FIELD]
    values = {name: filler(model._meta.get_field(name), tag) for name in names}
    if "email" in {f.name for f in model._meta.get_fields()}:
        values.setdefault("email", tag + "@example.invalid")
    if hasattr(model._default_manager, "create_user"):
        user = model._default_manager.create_user(password=password, **values)
    else:
        user = model(**values)
        user.set_password(password)
        user.save()
    account = user.pk
    changed = [name for name in ("is_active", "is_verified", "email_verified") if getattr(user, name, None) is False]
    for name in changed:
        setattr(user, name, True)
    if changed:
        user.save(update_fields=changed)
    return {"field": model.USERNAME_FIELD, "username": str(values[model.USERNAME_FIELD]), "password": password}


def delete_user(_):
    global account
    if account is not None:
        from django.contrib.auth import get_user_model

        get_user_model()._default_manager.filter(pk=account).delete()
        account = None
    return {}


QUESTIONS = {"recheck": recheck, "sign": sign, "create-user": create_user, "delete-user": delete_user}


def reply_to(work):
    try:
        reply = work()
    except (Exception, SystemExit) as error:
        reply = {"error": explain(error)}
    reply["output"] = CHANNEL.output.lines()
    CHANNEL.answer(reply)


def end(*_):
    raise Ended


def serve():
    signal.signal(signal.SIGTERM, end)
    try:
        reply_to(begin)
        while True:
            question = CHANNEL.question()
            if question is None:
                return
            reply_to(lambda: QUESTIONS[question["ask"]](question))
    except Ended:
        pass
    finally:
        try:
            delete_user(None)
        finally:
            # Threads of the project, and exit handlers that wait for them, are
            # not ours to wait for.
            os._exit(0)


serve()
