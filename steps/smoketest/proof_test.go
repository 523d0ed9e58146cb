package smoketest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

var proofLines = []string{steps.LineAnswers, steps.LineFresh, steps.LineSecret, steps.LinePrevious, steps.LineControl}

func TestHealthyWithoutAccount(t *testing.T) {
	for name, change := range map[string]func(*bench){
		"verify route":   func(*bench) {},
		"header, codes":  func(b *bench) { b.verify = false },
		"no facts":       func(b *bench) { b.run.Project.Facts = nil },
		"custom handler": func(b *bench) { b.verify = false; b.refuse = envelope },
		"custom handler with status 200": func(b *bench) {
			b.verify = false
			b.refuse = func(code string) (int, string) { return 200, `{"ok":false,"error":{"type":"` + code + `"}}` }
		},
		"no codes, texts that differ": func(b *bench) {
			b.verify = false
			b.refuse = func(code string) (int, string) {
				return 401, `{"message":"` + strings.ReplaceAll(code, "_", " ") + `"}`
			}
		},
		"clock ahead":  func(b *bench) { b.clock = time.Hour },
		"clock behind": func(b *bench) { b.clock = -time.Hour },
		"verify route that says 200 to everything": func(b *bench) {
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool { return r.URL.Path == "/api/v1/auth/token/verify/" }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			change(b)
			b.wantPass(proofLines...)
			b.wantLine(steps.LineFresh, steps.MarkOK, "20 of 20 new connections")
			b.wantLine(steps.LineControl, steps.MarkOK, "(control)")
			b.wantLine(steps.LineLogin, steps.MarkSkipped, "not tried, no account was given")
			if b.logins != 0 {
				t.Error("it tried to log in")
			}
			if !slices.ContainsFunc(b.events, func(e steps.Event) bool {
				return e.Kind == steps.EventPrinted && e.Text.Rendered() == "the server's first answer has status 404"
			}) {
				t.Errorf("the log lacks the status of the server's answer: %v", b.events)
			}
			if b.clock != 0 {
				b.wantLine(steps.LineClock, steps.MarkWarn, map[bool]string{true: "s ahead of", false: "s behind"}[b.clock > 0])
			} else if mark, _ := b.line(steps.LineClock); mark != "" {
				t.Error("clocks that agree are reported")
			}
		})
	}
}

func envelope(code string) (int, string) {
	return http.StatusUnauthorized, `{"error":{"kind":"` + code + `","text":"<b>no</b>"}}`
}

// Each finding, and beside it the nearest server that does not have it.
func TestFindingsOfTheProof(t *testing.T) {
	keys := func(k ...string) func(int) []string { return func(int) []string { return k } }
	for _, c := range []struct {
		name   string
		change func(b *bench)
		code   finding.Code // "" for none
		words  string
	}{
		{"not restarted", func(b *bench) { b.signs = b.previous }, "server-stale-key", "previous key"},
		{"unknown key", func(b *bench) { b.signs = newKey() }, "server-stale-key", "nor with any other"},
		{"signs with SECRET_KEY", func(b *bench) { b.signs = b.secret }, "server-signs-with-secret-key", ""},
		{"previous was SECRET_KEY", func(b *bench) { b.signs = b.secret; b.run.Previous = b.run.Secret(b.secret) }, "server-signs-with-secret-key", "also the previous"},
		{"takes both", func(b *bench) { b.takes = keys(b.key, b.secret) }, "server-accepts-secret-key-token", "SECRET_KEY"},
		{"takes the previous", func(b *bench) { b.takes = keys(b.key, b.previous) }, "server-accepts-old-token", ""},
		{"takes a key that is not asked about", func(b *bench) { b.takes = keys(b.key, newKey()) }, "", ""},
		{"previous equals new", func(b *bench) { b.run.Previous = b.run.Key }, "", ""},
		{"no previous", func(b *bench) { b.run.Previous = secret.Secret{} }, "", ""},
	} {
		for _, verify := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, verify %v", c.name, verify), func(t *testing.T) {
				b := newBench(t)
				b.verify = verify
				c.change(b)
				if c.code == "" {
					b.wantPass(steps.LineFresh, steps.LineSecret, steps.LineControl)
					if b.run.Previous.Equal(b.run.Key) || !b.run.Previous.Set() {
						b.wantLine(steps.LinePrevious, "", "no such line")
					}
					return
				}
				b.wantFail(c.code, c.words)
				b.wantLine(steps.LineControl, steps.MarkOK, "401")
			})
		}
	}
}

func TestFleetWithStaleWorkers(t *testing.T) {
	b := newBench(t)
	b.takes = func(n int) []string {
		// The two controls come first; of the tokens after them, one in seven
		// meets a worker with the old key. It is found by its share.
		if n > 2 && n%7 == 0 {
			return []string{b.secret}
		}
		return []string{b.key}
	}
	b.wantFail("server-stale-key", "new connections met a process")
	mark, detail := b.line(steps.LineFresh)
	if mark != steps.MarkFailed || !strings.HasSuffix(detail, "of 20 new connections do not") {
		t.Errorf("line %q %q", mark, detail)
	}
}

// Where some processes were restarted, the other keys are tried over every connection too:
// what takes SECRET_KEY may be the last one that answers.
func TestAMixedFleetIsAskedAboutEveryKey(t *testing.T) {
	b := newBench(t)
	b.run.Previous = secret.Secret{}
	asked := 0
	b.takes = func(n int) []string {
		if asked = n; n%7 == 0 {
			return []string{b.secret}
		}
		return []string{b.key}
	}
	b.wantFail("server-stale-key", "new connections met a process")
	if want := 2 + 20 + 20; asked < want {
		t.Errorf("%d tokens were sent, want %d", asked, want)
	}
}

// It is enough that one process of many was not restarted, and that one was proves
// nothing of the others.
func TestFleetCountsWhoWasNotRestarted(t *testing.T) {
	// Requests: controls 1 and 2, new 3, SECRET_KEY 4, then new 5 to 23.
	for refused, stale := range map[int]func(n int) bool{
		1:  func(n int) bool { return n == 20 },
		3:  func(n int) bool { return n == 6 || n == 11 || n == 20 },
		19: func(n int) bool { return n != 3 },
	} {
		b := newBench(t)
		b.run.Previous = secret.Secret{}
		b.takes = func(n int) []string {
			if stale(n) {
				return []string{b.secret}
			}
			return []string{b.key}
		}
		b.wantFail("server-stale-key", fmt.Sprintf("%d of 20 new connections", refused))
		b.wantLine(steps.LineFresh, steps.MarkFailed, fmt.Sprintf("%d of 20 new connections do not", refused))
	}
}

func TestConnectionsAreFresh(t *testing.T) {
	b := newBench(t)
	seen := map[string]bool{}
	b.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if seen[r.RemoteAddr] {
			t.Error("two requests came over one connection")
		}
		seen[r.RemoteAddr] = true
		return false
	}
	b.run.Options.Connections = 7
	b.wantPass(proofLines...)
	b.wantLine(steps.LineFresh, steps.MarkOK, "7 of 7")
}

func TestControlAccepted(t *testing.T) {
	b := newBench(t)
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		// Any token will do, but one there must be.
		return r.URL.Path == "/api/v1/auth/token/verify/" || r.URL.Path == "/api/v1/auth/user/" && r.Header.Get("Authorization") != ""
	}
	b.wantFail("server-accepts-secret-key-token", "random key")
	b.wantLine(steps.LineControl, steps.MarkFailed, "control")
}

func TestCannotBeToldApart(t *testing.T) {
	for name, change := range map[string]func(*bench){
		"same answer for every token": func(b *bench) { b.cookieID = true },
		"no routes":                   func(b *bench) { b.run.Project.Facts.Routes = steps.Routes{Login: "/api/v1/auth/login/"} },
		"a route that wants no token": func(b *bench) {
			b.intercept = func(_ http.ResponseWriter, r *http.Request) bool { return r.URL.Path == "/api/v1/auth/user/" }
		},
		"answers that always differ": func(b *bench) {
			b.refuse = func(string) (int, string) { return 401, newKey() }
		},
		"answers that change on the way": func(b *bench) {
			b.signs = newKey()
			b.refuse = func(string) (int, string) {
				if b.tokens > 3 {
					return 403, "blocked"
				}
				return 401, "no"
			}
		},
		"server errors": func(b *bench) {
			b.refuse = func(code string) (int, string) { return 500, code }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.verify = false
			change(b)
			b.wantFail("proof-inconclusive", "could not be shown", "--username")
			for _, id := range []string{steps.LineFresh, steps.LineSecret, steps.LinePrevious, steps.LineControl} {
				b.wantLine(id, steps.MarkWarn, "same answer for every key")
			}
		})
	}
}

func TestThrottledProof(t *testing.T) {
	b := newBench(t)
	limit := 9
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/v1/auth/token/verify/" && b.tokens >= limit {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	}
	b.wantPass(steps.LineSecret, steps.LinePrevious, steps.LineControl)
	b.wantLine(steps.LineFresh, steps.MarkWarn, "then the server was rate limiting")
	if b.tokens > limit || b.requests > limit+2 {
		t.Errorf("%d requests after the limit of %d", b.requests, limit)
	}
	limit = 0
	b.tokens = 0
	b.run.Project.Facts.Routes.Protected = ""
	b.wantFail("proof-inconclusive", "rate limiting", "Wait")
}

func TestKeyOfTheSettingsIsNotReadFromTheFile(t *testing.T) {
	b := newBench(t)
	hidden := newKey() // a SECRET_KEY that only the settings know
	b.takes = func(int) []string { return []string{b.key, hidden} }
	b.wantPass(proofLines...)
	b.run.Django = &django{secret: hidden}
	b.wantFail("server-accepts-secret-key-token")
}

func TestSecretKeyNotKnown(t *testing.T) {
	b := newBench(t)
	b.run.Project.EnvFile.Readers = nil
	b.wantPass(steps.LineFresh, steps.LinePrevious, steps.LineControl)
	b.wantLine(steps.LineSecret, steps.MarkSkipped, "not known")
}

func TestOtherAlgorithm(t *testing.T) {
	b := newBench(t)
	b.run.Project.Facts.Tokens.Algorithm = "RS256"
	b.wantFail("token-algorithm", "RS256")
	b.run.Project.Facts.Tokens.Algorithm = "HS512"
	b.wantPass(proofLines...)
}

func TestClaimsFollowTheSettings(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	c := claimsFor(steps.TokenFacts{UserIDClaim: "sub", UserIDText: true, Issuer: "me", Audience: []string{"a", "b"}}, now)
	if c["sub"] != nobodyText || c["iss"] != "me" || !slices.Equal(c["aud"].([]string), []string{"a", "b"}) {
		t.Errorf("claims %v", c)
	}
	if c["exp"] != now.Unix()+60 || c["iat"].(int64) > now.Unix() {
		t.Errorf("times %v", c)
	}
	for _, absent := range []string{"jti", "token_type", "user_id"} {
		if _, there := c[absent]; there {
			t.Errorf("claim %s, which the settings do not have", absent)
		}
	}
	c = claimsFor(routesOfDefaults(), now)
	if c["token_type"] != "access" || c["user_id"] != nobody || c["jti"] == "" || c["aud"] != nil {
		t.Errorf("default claims %v", c)
	}
}

func routesOfDefaults() steps.TokenFacts {
	f, _ := tokenFacts(nil)
	return f
}

func TestStopsWithItsContext(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	b.intercept = func(http.ResponseWriter, *http.Request) bool { cancel(); return false }
	err := b.step.Apply(ctx, b.run, func(steps.Event) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// django signs as the project's own Django would, and makes an account.
type django struct {
	secret  string
	account steps.Account
	made    int
	deleted int
	fail    error
	stays   error // of the deletion
}

func (d *django) Facts() *steps.Facts { return nil }
func (d *django) Recheck(context.Context) (*steps.Facts, error) {
	return nil, errors.New("not asked for")
}
func (d *django) Close() error { return nil }
func (d *django) CreateUser(context.Context) (steps.Account, error) {
	d.made++
	return d.account, d.fail
}
func (d *django) DeleteUser(context.Context) error { d.deleted++; return d.stays }
func (d *django) Sign(_ context.Context, which, alg string, input []byte) ([]byte, error) {
	if which != steps.GuideNames.SecretKey {
		return nil, errors.New("another key was asked for")
	}
	return hmacSign(alg, input, []byte(d.secret))
}

// A token that could not be signed is sent nowhere, and its key not refused.
func TestATokenThatCannotBeSigned(t *testing.T) {
	b := newBench(t)
	broken := &signer{func(context.Context, string, []byte) ([]byte, error) { return nil, errors.New("no answer") }}
	ses, err := b.step.with(b.run, tested(b.run), b.server.URL, func(steps.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	p := &pass{s: ses, w: way{claims: func(time.Time) jwt.MapClaims { return jwt.MapClaims{} }, send: func(context.Context, string) (answer, error) {
		t.Error("it was sent")
		return answer{}, nil
	}}}
	if _, err := p.ask(t.Context(), broken, &p.out.previous); err != nil || p.out.previous.unclear != 1 || p.out.previous.refused != 0 {
		t.Errorf("%+v, %v", p.out.previous, err)
	}
	p.w.send = func(context.Context, string) (answer, error) { return answer{}, context.Canceled }
	if _, err := p.ask(t.Context(), ses.fresh, &p.out.fresh); !errors.Is(err, context.Canceled) || p.out.fresh != (tally{}) {
		t.Errorf("an answer that nobody waits for counts: %+v, %v", p.out.fresh, err)
	}
}
