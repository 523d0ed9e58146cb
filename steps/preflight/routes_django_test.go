package preflight

import (
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// The routes and the fields of the login are those of whatever makes the tokens, with the
// version and the language that the project has in its addresses.
func TestRoutesOfOtherPackages(t *testing.T) {
	t.Parallel()
	const (
		reads     = "SECRET_KEY = config('SECRET_KEY')\n"
		simple    = reads + "INSTALLED_APPS += ['rest_framework', 'rest_framework_simplejwt']\nSIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY')}\n"
		views     = "from django.urls import include, path, re_path\nfrom rest_framework_simplejwt.views import *\n"
		sessions  = "INSTALLED_APPS += ['django.contrib.sessions', 'django.contrib.messages']\nMIDDLEWARE = ['django.contrib.sessions.middleware.SessionMiddleware', 'django.contrib.auth.middleware.AuthenticationMiddleware', 'django.contrib.messages.middleware.MessageMiddleware'"
		templates = "TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True, 'OPTIONS': {'context_processors': ['django.template.context_processors.request', 'django.contrib.auth.context_processors.auth', 'django.contrib.messages.context_processors.messages']}}]\n"
		allauth   = sessions + ", 'allauth.account.middleware.AccountMiddleware']\n" + templates + "INSTALLED_APPS += ['allauth', 'allauth.account']\n"
	)
	for what, c := range stepstest.Part(5, map[string]struct {
		settings, urls, made, kind    string
		login, refresh, verify, field string
	}{
		"sliding tokens": {simple + "SIMPLE_JWT['AUTH_TOKEN_CLASSES'] = ['rest_framework_simplejwt.tokens.' + kind for kind in ('AccessToken', 'SlidingToken')]\n",
			views + "urlpatterns = [path('in/', TokenObtainSlidingView.as_view()), path('again/', TokenRefreshSlidingView.as_view())]\n",
			"simplejwt", "sliding", "/in/", "/again/", "", "username"},
		"django-ninja-jwt": {reads + "INSTALLED_APPS += ['ninja_extra', 'ninja_jwt']\nNINJA_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY')}\n",
			"from django.urls import path\nfrom ninja_extra import NinjaExtraAPI\nfrom ninja_jwt.controller import NinjaJWTDefaultController\napi = NinjaExtraAPI()\napi.register_controllers(NinjaJWTDefaultController)\nurlpatterns = [path('api/', api.urls)]\n",
			"ninja-jwt", "access", "/api/token/pair", "/api/token/refresh", "/api/token/verify", "username"},
		"dj-rest-auth": {simple + allauth + "INSTALLED_APPS += ['dj_rest_auth']\nREST_AUTH = {'USE_JWT': True, 'TOKEN_MODEL': None}\nACCOUNT_LOGIN_METHODS = {'email'}\nACCOUNT_SIGNUP_FIELDS = ['email*', 'password1*', 'password2*']\n",
			"from django.urls import include, path\nurlpatterns = [path('auth/', include('dj_rest_auth.urls'))]\n",
			"simplejwt", "access", "/auth/login/", "/auth/token/refresh/", "/auth/token/verify/", "email"},
		"allauth headless": {reads + allauth + "INSTALLED_APPS += ['allauth.headless']\nACCOUNT_LOGIN_METHODS = {'email'}\nACCOUNT_SIGNUP_FIELDS = ['email*', 'password1*', 'password2*']\n" +
			"HEADLESS_CLIENTS = ('app',)\nHEADLESS_TOKEN_STRATEGY = 'allauth.headless.tokens.strategies.jwt.JWTTokenStrategy'\nHEADLESS_JWT_ALGORITHM = 'HS256'\nHEADLESS_JWT_PRIVATE_KEY = config('JWT_SECRET_KEY')\n",
			"from django.urls import include, path\nurlpatterns = [path('_allauth/', include('allauth.headless.urls'))]\n",
			"allauth-headless", "access", "/_allauth/app/v1/auth/login", "/_allauth/app/v1/tokens/refresh", "", "email"},
		"djoser": {simple + "INSTALLED_APPS += ['djoser']\n",
			"from django.urls import include, path\nurlpatterns = [path('auth/', include('djoser.urls')), path('auth/', include('djoser.urls.jwt'))]\n",
			"simplejwt", "access", "/auth/jwt/create/", "/auth/jwt/refresh/", "/auth/jwt/verify/", "username"},
		"a language": {simple + sessions + ", 'django.middleware.locale.LocaleMiddleware']\nUSE_I18N = True\nLANGUAGE_CODE = 'de'\n",
			views + "from django.conf.urls.i18n import i18n_patterns\nurlpatterns = i18n_patterns(path('api/token/', TokenObtainPairView.as_view()), path('api/token/refresh/', TokenRefreshView.as_view()))\n",
			"simplejwt", "access", "/de/api/token/", "/de/api/token/refresh/", "", "username"},
		"the version by default": {simple + "REST_FRAMEWORK = {'DEFAULT_VERSIONING_CLASS': 'rest_framework.versioning.URLPathVersioning', 'DEFAULT_VERSION': 'v2', 'ALLOWED_VERSIONS': ['v1', 'v2']}\n",
			views + "urlpatterns = [re_path(r'^(?P<version>(v1|v2))/', include([path('token/', TokenObtainPairView.as_view()), path('token/verify/', TokenVerifyView.as_view())]))]\n",
			"simplejwt", "access", "/v2/token/", "", "/v2/token/verify/", "username"},
		"a language in a pattern": {simple + "LANGUAGE_CODE = 'fr'\n",
			views + "urlpatterns = [re_path(r'^(?P<lang>(de|fr))/token/$', TokenObtainPairView.as_view())]\n",
			"simplejwt", "access", "/fr/token/", "", "", "username"},
		"the first version of a pattern": {simple,
			views + "urlpatterns = [re_path(r'^api/(v1|v3)/token/$', TokenObtainPairView.as_view())]\n",
			"simplejwt", "access", "/api/v1/token/", "", "", "username"},
	}) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := bare(t, c.settings, map[string]string{".env": "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n", "config/urls.py": c.urls})
			run, _, err := apply(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			f := run.Project.Facts
			got := steps.Routes{Login: f.Routes.Login, Refresh: f.Routes.Refresh, Verify: f.Routes.Verify}
			if want := (steps.Routes{Login: c.login, Refresh: c.refresh, Verify: c.verify}); got != want {
				t.Errorf("routes %+v, want %+v", got, want)
			}
			if f.Package != c.made || f.Tokens.Type != c.kind || f.LoginField != c.field || !f.SigningEqualsKey {
				t.Errorf("%s, %s tokens, login by %s, signs with the key: %t", f.Package, f.Tokens.Type, f.LoginField, f.SigningEqualsKey)
			}
		})
	}
}
