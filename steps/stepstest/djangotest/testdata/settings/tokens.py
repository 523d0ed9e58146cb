
INSTALLED_APPS.append('rest_framework_simplejwt.token_blacklist')
SIMPLE_JWT['BLACKLIST_AFTER_ROTATION'] = True

REST_FRAMEWORK = {
    'DEFAULT_AUTHENTICATION_CLASSES': [
        'rest_framework_simplejwt.authentication.JWTAuthentication',
    ],
    'DEFAULT_RENDERER_CLASSES': ['rest_framework.renderers.JSONRenderer'],
}
