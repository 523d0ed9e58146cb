"""Accept tokens of a second JWT key until a deadline.

Written by keysplit. In the settings, below JWT_SECRET_KEY and INSTALLED_APPS:

    JWT_PREVIOUS_SECRET_KEY = config('JWT_PREVIOUS_SECRET_KEY', default='')
    JWT_PREVIOUS_SECRET_KEY_UNTIL = config('JWT_PREVIOUS_SECRET_KEY_UNTIL', default='')
    INSTALLED_APPS += ['jwt_grace.GraceConfig']

Tokens that the current key refuses are tried with the second one: access, refresh
and sliding tokens alike, in every authentication class, since the token backend of
djangorestframework-simplejwt, and that of its fork django-ninja-jwt, is what all of
them ask. The second key is the previous one after a rotation, or the next one just
before it. Nothing is ever signed with it, a blacklisted token stays refused, and at
the deadline it counts for nothing, without a restart. SIMPLE_JWT's VERIFYING_KEY
cannot do this: with HS256 it is ignored.

Values that make no sense switch this off, with a line in the log. They never keep
the backend from starting.
"""
import copy
import logging
from datetime import datetime, timedelta, timezone
from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

LONGEST = timedelta(days=30)
CLOCKS = timedelta(hours=1)  # by which the clock of another machine may be wrong
FORMS = ('%Y%m%dT%H%M%SZ', '%Y-%m-%dT%H:%M:%SZ')
PACKAGES = ('rest_framework_simplejwt', 'ninja_jwt')

log = logging.getLogger('jwt_grace')


def read_settings():
    """Return the second key and the deadline, or None when there is none."""
    key = getattr(settings, 'JWT_PREVIOUS_SECRET_KEY', '') or ''
    text = str(getattr(settings, 'JWT_PREVIOUS_SECRET_KEY_UNTIL', '') or '').strip().strip('\'"')
    if not key:
        return None
    until = None
    for form in FORMS:
        try:
            until = datetime.strptime(text, form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    why = ''
    if until is None:
        why = 'JWT_PREVIOUS_SECRET_KEY_UNTIL is not a time in UTC such as 20251103T120000Z'
    elif until - datetime.now(timezone.utc) > LONGEST + CLOCKS:
        why = 'JWT_PREVIOUS_SECRET_KEY_UNTIL is more than 30 days away'
    elif key == settings.SECRET_KEY:
        why = 'JWT_PREVIOUS_SECRET_KEY is SECRET_KEY'
    if why:
        log.error('No grace period: %s.', why)
        return None
    return key, until


def with_second(current, key, until, refusal):
    """Return a token backend that signs as current does and also reads key."""
    second = copy.copy(current)
    second.signing_key = key
    if getattr(second, 'verifying_key', None):
        second.verifying_key = key
    for cached in ('prepared_signing_key', 'prepared_verifying_key'):
        second.__dict__.pop(cached, None)

    class GraceBackend(type(current)):
        def decode(self, token, verify=True):
            try:
                return super().decode(token, verify=verify)
            except refusal as error:
                if not verify or datetime.now(timezone.utc) >= until:
                    raise
                try:
                    return second.decode(token, verify=True)
                except refusal:
                    raise error from None

    backend = copy.copy(current)
    backend.__class__ = GraceBackend
    return backend


class GraceConfig(AppConfig):
    name = 'jwt_grace'

    def ready(self):
        found = read_settings()
        if found is None or datetime.now(timezone.utc) >= found[1]:
            return
        for package in PACKAGES:
            try:
                state = import_module(package + '.state')
                refusal = import_module(package + '.exceptions').TokenBackendError
            except ImportError:
                continue
            if not state.token_backend.algorithm.startswith('HS'):
                log.error('No grace period for %s: it serves HS256, HS384 and HS512.', package)
                continue
            state.token_backend = with_second(state.token_backend, *found, refusal)
