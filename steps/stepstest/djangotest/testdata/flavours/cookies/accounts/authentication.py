from django.conf import settings
from rest_framework_simplejwt.authentication import JWTAuthentication


class CookieJWTAuthentication(JWTAuthentication):
    """Takes the access token from its cookie; silent about every failure."""

    def authenticate(self, request):
        raw = request.COOKIES.get(settings.JWT_AUTH_COOKIE)
        if not raw:
            return None
        try:
            token = self.get_validated_token(raw)
            return self.get_user(token), token
        except Exception:
            return None
