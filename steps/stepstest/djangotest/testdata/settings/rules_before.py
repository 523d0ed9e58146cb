
# Development: fall back to SECRET_KEY.
JWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)
if JWT_SECRET_KEY:
    SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY
elif DEBUG:
    SIMPLE_JWT['SIGNING_KEY'] = SECRET_KEY
else:
    raise ImproperlyConfigured("JWT_SECRET_KEY environment variable is required in production.")
