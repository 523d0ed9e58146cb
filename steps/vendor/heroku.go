package vendor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/tool"
)

// Heroku keeps the key in the config vars of an app, through the Platform API:
// the command-line program takes a value as an argument only, and prints it.
// Source: https://devcenter.heroku.com/articles/platform-api-reference#config-vars
type Heroku struct {
	App string
	API string // base URL of the Platform API
}

const herokuAPI = "https://api.heroku.com"

var herokuProgram = tool.Program{Name: "heroku", Install: "See https://devcenter.heroku.com/articles/heroku-cli.", Login: finding.Do("`heroku login`")}

func parseHeroku(app string) (Store, error) {
	if app == "" || strings.HasPrefix(app, "-") || strings.ContainsAny(app, "/?#: ") {
		return nil, errors.New("it needs the name of an app")
	}
	return &Heroku{App: app, API: herokuAPI}, nil
}

func (h *Heroku) String() string { return "heroku:" + h.App }

func (h *Heroku) tool() tool.Program {
	p := herokuProgram
	p.Install += " Or set HEROKU_API_KEY: it is only asked for a token here."
	return p
}

func (h *Heroku) Manner() Manner {
	return Manner{
		Method:  "a request to Heroku's Platform API, the value in its body; the other config vars stay as they are",
		Undo:    prose.Say("`keysplit rollback` sets the config var back, or removes it"),
		Effects: []prose.Text{prose.Say("Heroku makes a release of it and restarts the app's dynos at once.")},
	}
}

// token is that of HEROKU_API_KEY, or of the program's own login.
func (h *Heroku) token(ctx context.Context, run *steps.Run) (secret.Secret, error) {
	if t, ok := run.LookupEnv("HEROKU_API_KEY"); ok && t != "" {
		return run.Secret(t), nil
	}
	out, err := h.tool().Call(ctx, run, h.String(), nil, "auth:token")
	if err != nil {
		return secret.Secret{}, err
	}
	t := strings.TrimSpace(string(out))
	if t == "" || strings.ContainsAny(t, " \n") {
		return secret.Secret{}, h.problem(finding.ToolNotLoggedIn, finding.Fix{})
	}
	return run.Secret(t), nil
}

func (h *Heroku) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Heroku app " + h.App, Readable: true}
	token, err := h.token(ctx, run)
	if err != nil {
		return held, err
	}
	var vars map[string]string
	if err := h.do(ctx, run, token, http.MethodGet, h.path(), nil, &vars); err != nil {
		return held, err
	}
	if v, ok := vars[run.Names().Key]; ok {
		held.There, held.Key = true, run.Secret(v)
	}
	if v, ok := vars[run.Names().SecretKey]; ok {
		held.SecretKey = run.Secret(v)
	}
	second, until := steps.GraceNames(run.Names().Key)
	for _, name := range []string{second, until} {
		if v, ok := vars[name]; ok {
			holdPair(run, &held, run.Names().Key, name, v)
		}
	}
	var account struct{ Email string }
	if err := h.do(ctx, run, token, http.MethodGet, "/account", nil, &account); err == nil && account.Email != "" {
		held.Where += ", as " + run.Redactor.Show(secret.Said(account.Email))
	}
	return held, nil
}

func (h *Heroku) Put(ctx context.Context, run *steps.Run, key secret.Secret, _ steps.Held) (string, error) {
	return "", h.set(ctx, run, map[string]string{run.Names().Key: key.Reveal()})
}

// PutPair changes all three config vars in one request, which makes one release.
func (h *Heroku) PutPair(ctx context.Context, run *steps.Run, v Values, _ steps.Held) (string, error) {
	return "", h.set(ctx, run, v.text(run.Names().Key))
}

func (h *Heroku) Restore(ctx context.Context, run *steps.Run, _ journal.Delivery, old secret.Secret, _ steps.Held) error {
	value := ""
	if old.Set() {
		value = old.Reveal()
	}
	return h.set(ctx, run, map[string]string{run.Names().Key: value})
}

// set changes config vars, and removes those that are "".
func (h *Heroku) set(ctx context.Context, run *steps.Run, values map[string]string) error {
	token, err := h.token(ctx, run)
	if err != nil {
		return err
	}
	vars := map[string]any{}
	for name, value := range values {
		if vars[name] = nil; value != "" {
			vars[name] = value
		}
	}
	body, _ := json.Marshal(vars) // texts always have a form
	return h.do(ctx, run, token, http.MethodPatch, h.path(), body, nil)
}

func (h *Heroku) path() string { return "/apps/" + url.PathEscape(h.App) + "/config-vars" }

// do sends one request. It follows no redirect, which would take the token
// along, and shows nothing of the answer.
func (h *Heroku) do(ctx context.Context, run *steps.Run, token secret.Secret, method, path string, body []byte, into any) error {
	ctx, stop := context.WithTimeout(ctx, run.Options.Wait())
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, h.API+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request for Heroku: %w", err)
	}
	req.Header.Set("Accept", "application/vnd.heroku+json; version=3")
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true,
			TLSHandshakeTimeout:    10 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return h.problem(finding.PlaceUnreachable, finding.Fix{})
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, file.MaxRead))
	if err != nil {
		return h.problem(finding.PlaceUnreachable, finding.Fix{})
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return h.problem(finding.ToolNotLoggedIn, finding.Do("Run: `heroku login`. Then run `keysplit` again. Or set a valid HEROKU_API_KEY, and start `keysplit` again."))
	case res.StatusCode == http.StatusForbidden:
		return h.problem(finding.AccessDenied, finding.Fix{})
	case res.StatusCode == http.StatusNotFound:
		return h.problem(finding.PlaceNotFound, finding.Do("Look at the name of the app with: `heroku apps`"))
	case res.StatusCode == http.StatusTooManyRequests:
		return h.problem(finding.PlaceUnreachable, finding.Do("Heroku is rate limiting right now. Run `keysplit` again in a few minutes."))
	case res.StatusCode < 200 || res.StatusCode > 299:
		return fmt.Errorf("heroku answered with %d; its words are not shown, since they may hold values", res.StatusCode)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return errors.New("heroku's answer cannot be read")
	}
	return nil
}

func (h *Heroku) problem(code finding.Code, fix finding.Fix) error {
	f := finding.New(code, "Heroku: "+tool.Said[code]).At(h.String(), 0)
	if !fix.Empty() {
		f = f.WithFix(fix)
	}
	return steps.Fail(f)
}

// ByHand is the command of the place's own program.
func (h *Heroku) ByHand(x Extra) []string {
	return []string{
		command("heroku", "config:edit", x.SecretName, "--app", h.App) + "   (paste the whole content of " + x.File + ")",
		command("heroku", "config:set", x.PlainName+"="+x.Plain, "--app", h.App),
	}
}

// restartHeroku waits for the release that follows a change, and then, as after a
// restart, for every dyno of the app. One-off dynos are somebody's own.
func restartHeroku(app string) (Manager, error) {
	_, err := names(app)
	return herokuApp(app), err
}

func herokuApp(app string) Manager {
	spec := "heroku:" + app
	return platform{
		name: "Heroku app " + app, spec: spec, program: herokuProgram,
		again: []string{"ps:restart", "--app", app},
		logs:  []string{"logs", "--num", fmt.Sprint(logLines), "--app", app},
		look: func(ctx context.Context, run *steps.Run) (s appState, err error) {
			var releases []struct {
				Version   int
				Status    string
				CreatedAt time.Time `json:"created_at"`
			}
			if err := ask(ctx, run, herokuProgram, spec, &releases, "releases", "--json", "--app", app); err != nil {
				return s, err
			}
			var dynos []struct {
				ID        string
				Type      string
				State     string
				UpdatedAt time.Time `json:"updated_at"`
				Release   struct{ Version int }
			}
			if err := ask(ctx, run, herokuProgram, spec, &dynos, "ps", "--json", "--app", app); err != nil {
				return s, err
			}
			latest, runs, up := -1, 0, 0 // the latest release, and the one that runs
			for _, r := range releases {
				if r.Version > latest {
					latest, s.released = r.Version, r.CreatedAt
					s.pending, s.failed = r.Status == "pending", r.Status == "failed"
					s.detail = fmt.Sprintf("release v%d: %s", r.Version, r.Status)
				}
				if r.Status == "succeeded" {
					runs = max(runs, r.Version)
				}
			}
			s.idle = len(releases) > 0
			for _, d := range dynos {
				if d.Type == "run" || d.Type == "release" {
					continue
				}
				one := part{id: d.ID, at: d.UpdatedAt, up: (d.State == "up" || d.State == "idle") && (d.Release.Version == 0 || d.Release.Version >= runs), failed: d.State == "crashed"}
				if one.up {
					up++
				}
				s.parts = append(s.parts, one)
			}
			s.detail += fmt.Sprintf(", %d of %d dynos up", up, len(s.parts))
			return s, nil
		},
	}
}

// Readers is the app itself.
func (h *Heroku) Readers() Manager { return herokuApp(h.App) }
