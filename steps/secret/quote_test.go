package secret

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"dj/keysplit/steps/internal/canary"
)

func TestQuoteMasksWhatLooksLikeASecretAndKeepsNames(t *testing.T) {
	kept := []string{
		"vault:secret/shop#jwt", "kubernetes:shop/backend-secrets#jwt-secret-key", "min_lenght", "aws:shop-AbCdEf", "backendSecrets",
		"https://staging.example.com:8443/api/v2", "/srv/shop/tmp.D4JUjLZ2QN/keysplit.toml", "JWT_SECRET_KEY", "env-file-tracked-by-gti", "gunicorn@shop2,nginx",
	}
	for _, text := range kept {
		if got := Quote(text); got != `"`+text+`"` {
			t.Errorf("Quote(%s) = %s", text, got)
		}
	}
	for range 200 {
		b := make([]byte, 32)
		_, _ = rand.Read(b)
		for _, value := range []string{base64.RawURLEncoding.EncodeToString(b), hex.EncodeToString(b), "JWT_SECRET_KEY=swordfish#x", "https://bob:swordfish#x@db/"} {
			got := Quote("vault:" + value)
			if canary.Leaks(got, value[max(0, len(value)-11):]) || !strings.Contains(got, "****") {
				t.Fatalf("Quote(%s) = %s", value, got)
			}
		}
	}
}
