package preflight

import (
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// A login may have fields of any name, and an API may want its version in a header.
func TestLoginsOfOtherForms(t *testing.T) {
	t.Parallel()
	stepstest.OnlyLong(t)
	const (
		simple = "SECRET_KEY = config('SECRET_KEY')\nINSTALLED_APPS += ['rest_framework', 'rest_framework_simplejwt']\nSIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY')}\n"
		header = "REST_FRAMEWORK = {'DEFAULT_VERSIONING_CLASS': 'rest_framework.versioning.AcceptHeaderVersioning', 'ALLOWED_VERSIONS': ['1.0', '2.0']}\n"
		head   = "from django.urls import path\nfrom rest_framework import serializers, views\nfrom rest_framework_simplejwt.serializers import TokenObtainPairSerializer\nfrom rest_framework_simplejwt.views import *\n"
	)
	fields := func(text string) string {
		return head + "class U(serializers.Serializer):\n    mail = serializers.CharField()\n    passphrase = serializers.CharField()\nclass S(serializers.Serializer):\n" + text + "\nclass Login(views.APIView):\n    serializer_class = S\n    def post(self, request):\n        pass\nurlpatterns = [path('api/login', Login.as_view())]\n"
	}
	for what, c := range map[string]struct {
		settings, urls                 string
		login, field, secret, versions string
		inside                         string
	}{
		"a pin":                 {simple, fields("    identifier = serializers.CharField()\n    pin = serializers.CharField(write_only=True)\n"), "/api/login", "identifier", "pin", "", ""},
		"in Portuguese":         {simple, fields("    cpf = serializers.CharField()\n    senha = serializers.CharField()\n"), "/api/login", "cpf", "senha", "", ""},
		"by what is typed":      {simple, fields("    code = serializers.CharField(style={'input_type': 'password'})\n    phone = serializers.CharField()\n"), "/api/login", "phone", "code", "", ""},
		"by what is not shown":  {simple, fields("    mobile = serializers.CharField()\n    otp = serializers.CharField(write_only=True)\n"), "/api/login", "mobile", "otp", "", ""},
		"a field of simplejwt":  {simple, head + "class S(TokenObtainPairSerializer):\n    username_field = 'cedula'\nclass Login(TokenObtainPairView):\n    serializer_class = S\nurlpatterns = [path('in/', Login.as_view())]\n", "/in/", "cedula", "password", "", ""},
		"a version in a header": {simple + header, head + "urlpatterns = [path('in/', TokenObtainPairView.as_view())]\n", "/in/", "username", "password", "version=1.0", ""},
		"one by default":        {simple + header + "REST_FRAMEWORK['DEFAULT_VERSION'] = '2.0'\n", head + "urlpatterns = [path('in/', TokenObtainPairView.as_view())]\n", "/in/", "username", "password", "", ""},
		"in an object":          {simple, fields("    user = U()\n"), "/api/login", "mail", "passphrase", "", "user"},
		"taken out of the body": {simple, strings.Replace(fields("    email = serializers.EmailField()\n    password = serializers.CharField()\n"), "pass\n", "self.serializer_class(data=request.data.get('user', {}))\n", 1), "/api/login", "email", "password", "", "user"},
		"by a function":         {simple, head + "from rest_framework.decorators import api_view\n@api_view(['POST'])\ndef login(request):\n    return request.data['member'], request.data.get('pwd')\nurlpatterns = [path('api/login', login)]\n", "/api/login", "member", "pwd", "", ""},
		"beside a serializer":   {simple, strings.Replace(fields("    email = serializers.EmailField()\n    password = serializers.CharField()\n"), "pass\n", "self.serializer_class(data=request.data), request.data.get('captcha')\n", 1), "/api/login", "email", "password", "", ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := bare(t, c.settings, map[string]string{".env": "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n", "config/urls.py": c.urls})
			run, _, err := apply(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			f := run.Project.Facts
			if f.Routes.Login != c.login || f.LoginField != c.field || f.PasswordField != c.secret || f.LoginInside != c.inside || f.Routes.Version != c.versions {
				t.Errorf("%s with %s and %s in %q, version %q", f.Routes.Login, f.LoginField, f.PasswordField, f.LoginInside, f.Routes.Version)
			}
		})
	}
}
