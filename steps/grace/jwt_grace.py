"""Accept tokens of the previous JWT key until a deadline.

Written by keysplit. In the settings, below JWT_SECRET_KEY:

    JWT_PREVIOUS_SECRET_KEY = config('JWT_PREVIOUS_SECRET_KEY', default='')
    JWT_PREVIOUS_SECRET_KEY_UNTIL = config('JWT_PREVIOUS_SECRET_KEY_UNTIL', default='')
    INSTALLED_APPS += ['jwt_grace.GraceConfig']

Tokens that the current key refuses are tried with the previous one: access and
refresh tokens alike, in every authentication class, since the token backend of
djangorestframework-simplejwt is what all of them ask. Nothing is ever signed with
the previous key, a blacklisted refresh token stays refused, and at the deadline
the previous key counts for nothing, without a restart. SIMPLE_JWT's VERIFYING_KEY
cannot do this: with HS256 it is ignored.
"""
import copy
from datetime import datetime, timedelta, timezone

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

LONGEST = timedelta(days=7)


def read_settings():
    """Return the previous key and the deadline, or None when there is none."""
    previous = getattr(settings, 'JWT_PREVIOUS_SECRET_KEY', '') or ''
    text = getattr(settings, 'JWT_PREVIOUS_SECRET_KEY_UNTIL', '') or ''
    if not previous:
        return None
    try:
        until = datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ').replace(tzinfo=timezone.utc)
    except ValueError:
        raise ImproperlyConfigured(
            'JWT_PREVIOUS_SECRET_KEY_UNTIL must be a time in UTC such as 2025-11-03T12:00:00Z.'
        ) from None
    if until - datetime.now(timezone.utc) > LONGEST:
        raise ImproperlyConfigured('JWT_PREVIOUS_SECRET_KEY_UNTIL is more than 7 days away.')
    if previous == settings.SECRET_KEY:
        raise ImproperlyConfigured('JWT_PREVIOUS_SECRET_KEY must be different from SECRET_KEY.')
    return previous, until


def with_previous(current, previous, until):
    """Return a token backend that signs as current does and also reads previous."""
    from rest_framework_simplejwt.exceptions import TokenBackendError

    old = copy.copy(current)
    old.signing_key = previous
    if getattr(old, 'verifying_key', None):
        old.verifying_key = previous
    for cached in ('prepared_signing_key', 'prepared_verifying_key'):
        old.__dict__.pop(cached, None)

    class GraceBackend(type(current)):
        def decode(self, token, verify=True):
            try:
                return super().decode(token, verify=verify)
            except TokenBackendError as error:
                if not verify or datetime.now(timezone.utc) >= until:
                    raise
                try:
                    return old.decode(token, verify=True)
                except TokenBackendError:
                    raise error from None

    backend = copy.copy(current)
    backend.__class__ = GraceBackend
    return backend


class GraceConfig(AppConfig):
    name = 'jwt_grace'

    def ready(self):
        from rest_framework_simplejwt import state

        found = read_settings()
        if found is None or datetime.now(timezone.utc) >= found[1]:
            return
        if not state.token_backend.algorithm.startswith('HS'):
            raise ImproperlyConfigured('jwt_grace serves tokens that are signed with HS256, HS384 or HS512.')
        state.token_backend = with_previous(state.token_backend, *found)
