package demo

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The token types and lifetimes of the demo, as in its settings.py.
const (
	access      = "access"
	refresh     = "refresh"
	accessLife  = 15 * time.Minute
	refreshLife = 7 * 24 * time.Hour
)

// tokens issues and checks tokens with simplejwt's claims, HS256.
type tokens struct{ key []byte }

func lifeOf(kind string) time.Duration {
	if kind == refresh {
		return refreshLife
	}
	return accessLife
}

func (t tokens) issue(kind string, userID int) string {
	now := time.Now()
	token, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"token_type": kind,
		"iat":        now.Unix(),
		"exp":        now.Add(lifeOf(kind)).Unix(),
		"jti":        newKey()[:32],
		"user_id":    strconv.Itoa(userID), // text, as simplejwt 5.5 has it
	}).SignedString(t.key) // HMAC takes any key, and these claims always have a form
	return token
}

// setCookie puts a new token into its httpOnly cookie.
func (t tokens) setCookie(w http.ResponseWriter, kind string, userID int) {
	http.SetCookie(w, &http.Cookie{ // #nosec G124 -- the demo listens on plain http, on this machine only
		Name: kind + cookieSuffix, Value: t.issue(kind, userID), Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(lifeOf(kind).Seconds()),
	})
}

// check returns the user id of a valid token; an empty kind takes every kind.
func (t tokens) check(token, kind string) (int, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return t.key, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil {
		return 0, err
	}
	if got := claims["token_type"]; got == nil || kind != "" && got != kind {
		return 0, errors.New("wrong token type")
	}
	switch id := claims["user_id"].(type) {
	case float64:
		return int(id), nil
	case string:
		return strconv.Atoi(id)
	}
	return 0, errors.New("no user id")
}

func bearer(r *http.Request) (string, bool) {
	return strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
}
