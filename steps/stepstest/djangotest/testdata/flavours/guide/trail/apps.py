from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, register


class TrailConfig(AppConfig):
    name = 'trail'

    def ready(self):
        # As audit apps do: what the project does not set gets a default, in the live settings.
        if not hasattr(settings, 'TRAIL_KEEP_DAYS'):
            settings.TRAIL_KEEP_DAYS = 30


@register()
def keep_days(app_configs, **kwargs):
    if getattr(settings, 'TRAIL_KEEP_DAYS', None) is None:
        return [Error('TRAIL_KEEP_DAYS is gone.', id='trail.E001')]
    return []
