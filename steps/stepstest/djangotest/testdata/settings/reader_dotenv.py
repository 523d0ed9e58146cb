import os
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

BASE_DIR = Path(__file__).resolve().parent.parent

load_dotenv(BASE_DIR / '.env')


def config(name, default=None, cast=str):
    value = os.environ.get(name, default)
    if cast is bool:
        return str(value).lower() in ('1', 'true', 'yes', 'on')
    return value
