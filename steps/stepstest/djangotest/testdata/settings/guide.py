
# What the environment says is checked at once, so that a mistake stops the start.
ENVIRONMENT = config('DJANGO_ENV', default='development')
if ENVIRONMENT not in ('development', 'staging', 'production'):
    raise ImproperlyConfigured('DJANGO_ENV must be development, staging or production.')

SIMPLE_JWT['ACCESS_TOKEN_LIFETIME'] = timedelta(minutes=config('JWT_ACCESS_TOKEN_LIFETIME', default=60, cast=int))
SIMPLE_JWT['REFRESH_TOKEN_LIFETIME'] = timedelta(days=config('JWT_REFRESH_TOKEN_LIFETIME', default=7, cast=int))
SIMPLE_JWT['ROTATE_REFRESH_TOKENS'] = config('JWT_ROTATE', default=True, cast=bool)

LOGIN_ATTEMPTS = config('LOGIN_ATTEMPTS', default=5, cast=int)
LOCK_AFTER = config('LOCK_AFTER', default=10, cast=int)
UPLOAD_MAX_MB = config('UPLOAD_MAX_MB', default=10, cast=int)
UPLOAD_TOTAL_MB = config('UPLOAD_TOTAL_MB', default=50, cast=int)
SESSION_COOKIE_AGE = config('SESSION_HOURS', default=12, cast=int) * 3600
FRONTEND_URL = config('FRONTEND_URL', default='')
MAIL_FROM = config('MAIL_FROM', default='')

INSTALLED_APPS.append('trail.apps.TrailConfig')

print('[SETTINGS] environment %s, access tokens for %s' % (ENVIRONMENT, SIMPLE_JWT['ACCESS_TOKEN_LIFETIME']))
