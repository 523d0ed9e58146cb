from django.http import JsonResponse
from django.middleware.csrf import get_token
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


def csrf(request):
    get_token(request)  # makes the middleware set the cookie
    return JsonResponse({'detail': 'CSRF cookie set'})


class CurrentUser(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({'id': request.user.pk, 'username': request.user.get_username()})
