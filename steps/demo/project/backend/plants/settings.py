from datetime import timedelta
from pathlib import Path

from decouple import config
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = config('SECRET_KEY')
DEBUG = config('DEBUG', default=False, cast=bool)
EMAIL_FROM = config('EMAIL_FROM', default='')
ALLOWED_HOSTS = ['localhost', '127.0.0.1']

INSTALLED_APPS = [
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'rest_framework',
    'rest_framework_simplejwt',
]

MIDDLEWARE = [
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
]

ROOT_URLCONF = 'plants.urls'

SIMPLE_JWT = {
    'ACCESS_TOKEN_LIFETIME': timedelta(minutes=15),
    'REFRESH_TOKEN_LIFETIME': timedelta(days=7),
    'ALGORITHM': 'HS256',
    'AUTH_HEADER_TYPES': ('Bearer',),
}

# All environments: JWT_SECRET_KEY is required.
JWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)
if not JWT_SECRET_KEY:
    raise ImproperlyConfigured(
        "JWT_SECRET_KEY environment variable is required."
    )
if JWT_SECRET_KEY == SECRET_KEY:
    raise ImproperlyConfigured(
        "JWT_SECRET_KEY must be different from SECRET_KEY."
    )
if len(JWT_SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "JWT_SECRET_KEY must be at least 50 characters."
    )
SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY
