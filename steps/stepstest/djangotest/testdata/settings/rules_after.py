
# JWT_SECRET_KEY is required in all environments.
JWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)
if not JWT_SECRET_KEY:
    raise ImproperlyConfigured(
        "JWT_SECRET_KEY environment variable is required. "
        "Generate one with: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
    )
if JWT_SECRET_KEY == SECRET_KEY:
    raise ImproperlyConfigured(
        "JWT_SECRET_KEY must be different from SECRET_KEY."
    )
if len(JWT_SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "JWT_SECRET_KEY must be at least 50 characters, but it has %d." % len(JWT_SECRET_KEY)
    )
SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY
