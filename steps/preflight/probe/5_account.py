# The throwaway account: its name is told before it is made, so that keysplit can note
# it, and it is removed by that name alone, by a later run as well.

import random
import secrets
import string

account = None  # {"field": ..., "username": ...} of the one that this process removes at its end
wanted = None   # the values of the next one


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


def left_empty(model):
    """The fields of text that the manager of a user model would set to None, and that take none."""
    import inspect
    from django.db import models

    asked = inspect.signature(getattr(model._default_manager, "create_user", lambda: None)).parameters
    return [(f.name, f) for f in model._meta.concrete_fields
            if isinstance(f, (models.CharField, models.TextField)) and not f.null and f.name in asked and asked[f.name].default is None and f.name != "password"]


def name_user(_):
    """Makes up the values of an account, and tells by what it is found again."""
    global wanted
    from django.contrib.auth import get_user_model

    model = get_user_model()
    tag = "keysplit-" + secrets.token_hex(6)
    names = [model.USERNAME_FIELD] + [n for n in model.REQUIRED_FIELDS if n != model.USERNAME_FIELD]
    wanted = {name: filler(model._meta.get_field(name), tag) for name in names}
    if "email" in {f.name for f in model._meta.get_fields()}:
        wanted.setdefault("email", tag + "@example.invalid")
    wanted.update({name: filler(field, tag) for name, field in left_empty(model) if name not in wanted})
    return {"field": model.USERNAME_FIELD, "username": str(wanted[model.USERNAME_FIELD])}


def create_user(_):
    """Makes the account that name_user named."""
    global account
    from django.conf import settings
    from django.contrib.auth import get_user_model

    delete_user(None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    model = get_user_model()
    password = secrets.token_urlsafe(24) + "aA1!"
    account = {"field": model.USERNAME_FIELD, "username": str(wanted[model.USERNAME_FIELD])}
    if hasattr(model._default_manager, "create_user"):
        user = model._default_manager.create_user(password=password, **wanted)
    else:
        user = model(**wanted)
        user.set_password(password)
        user.save()
    changed = [name for name in ("is_active", "is_verified", "email_verified") if getattr(user, name, None) is False]
    for name in changed:
        setattr(user, name, True)
    if changed:
        user.save(update_fields=changed)
    confirm_address(user)
    # It may log in by another field than the one that it is found by.
    field = sign_in.get("name") or model.USERNAME_FIELD
    return dict(account, password=password, login_field=field, login_name=str(getattr(user, field, "") or user.get_username()))


def confirm_address(user):
    """allauth may take only addresses that were confirmed. It goes with the account."""
    from django.apps import apps

    if apps.is_installed("allauth.account") and getattr(user, "email", ""):
        apps.get_model("account", "EmailAddress").objects.create(user=user, email=user.email, verified=True, primary=True)


def remove_user(question):
    """Removes the account of that name, and tells how many there were."""
    from django.contrib.auth import get_user_model

    found = get_user_model()._default_manager.filter(**{question["field"]: question["username"]})
    count = found.count()
    found.delete()
    return {"removed": count}


def delete_user(_):
    global account
    if account is None:
        return {"removed": 0}
    told = remove_user(account)
    account = None
    return told
