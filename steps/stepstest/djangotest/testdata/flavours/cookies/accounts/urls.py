from django.urls import path

from accounts import views

urlpatterns = [
    path('csrf/', views.csrf, name='csrf'),
    path('login/', views.Login.as_view(), name='login'),
    path('token/refresh/', views.Refresh.as_view(), name='token_refresh'),
    path('user/', views.CurrentUser.as_view(), name='current_user'),
]
