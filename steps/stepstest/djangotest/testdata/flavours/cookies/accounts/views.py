from django.conf import settings
from django.contrib.auth import authenticate
from django.http import JsonResponse
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import RefreshToken


def set_cookies(response, refresh):
    for name, token in (
        (settings.JWT_AUTH_COOKIE, refresh.access_token),
        (settings.JWT_AUTH_REFRESH_COOKIE, refresh),
    ):
        response.set_cookie(
            name, str(token), httponly=True, samesite='Lax', secure=not settings.DEBUG, max_age=int(token.lifetime.total_seconds())
        )


def csrf(request):
    get_token(request)  # makes the middleware set the cookie
    return JsonResponse({'detail': 'CSRF cookie set'})


@method_decorator(csrf_protect, name='dispatch')
class Login(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request):
        user = authenticate(
            request._request, username=request.data.get('username'), password=request.data.get('password')
        )
        if user is None:
            raise AuthenticationFailed('Invalid credentials.', 'invalid_credentials')
        response = Response({'user': {'id': user.pk, 'username': user.get_username()}})
        set_cookies(response, RefreshToken.for_user(user))
        return response


@method_decorator(csrf_protect, name='dispatch')
class Refresh(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request):
        raw = request.COOKIES.get(settings.JWT_AUTH_REFRESH_COOKIE) or request.data.get('refresh')
        if not raw:
            raise AuthenticationFailed('No refresh token.', 'no_token')
        try:
            refresh = RefreshToken(raw)
        except TokenError as error:
            raise InvalidToken(str(error))
        refresh.set_jti()
        refresh.set_exp()
        refresh.set_iat()
        response = Response({'detail': 'Token refreshed'})
        set_cookies(response, refresh)
        return response


class CurrentUser(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({'id': request.user.pk, 'username': request.user.get_username()})
