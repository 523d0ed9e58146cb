package write

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
	"dj/keysplit/steps/tool"
)

// heroku keeps the key in the config vars of an app, through the Platform API:
// the command-line program takes a value as an argument only, and prints it.
// Source: https://devcenter.heroku.com/articles/platform-api-reference#config-vars
type heroku struct {
	app string
	api string // base URL of the Platform API
}

const herokuAPI = "https://api.heroku.com"

func newHeroku(app string) (store, error) {
	if app == "" || strings.ContainsAny(app, "/?#: ") {
		return nil, errors.New("it needs the name of an app")
	}
	return &heroku{app: app, api: herokuAPI}, nil
}

func (h *heroku) spec() string { return "heroku:" + h.app }

func (h *heroku) tool() tool.Program {
	p := tool.Heroku
	p.Install += " Or set HEROKU_API_KEY: it is only asked for a token here."
	return p
}

func (h *heroku) words() words {
	return words{
		Method:  "a request to Heroku's Platform API, the value in its body; the other config vars stay as they are",
		Undo:    "keysplit rollback sets the config var back, or removes it",
		Effects: []string{"Heroku makes a release of it and restarts the app's dynos at once."},
	}
}

// token is that of HEROKU_API_KEY, or of the program's own login.
func (h *heroku) token(ctx context.Context, run *steps.Run) (steps.Secret, error) {
	if t, ok := run.LookupEnv("HEROKU_API_KEY"); ok && t != "" {
		return run.Secret(t), nil
	}
	out, err := h.tool().Call(ctx, run, h.spec(), nil, "auth:token")
	if err != nil {
		return steps.Secret{}, err
	}
	t := strings.TrimSpace(string(out))
	if t == "" || strings.ContainsAny(t, " \n") {
		return steps.Secret{}, h.problem("tool-not-logged-in", "")
	}
	return run.Secret(t), nil
}

func (h *heroku) look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Heroku app " + h.app, Readable: true}
	token, err := h.token(ctx, run)
	if err != nil {
		return held, err
	}
	var vars map[string]string
	if err := h.do(ctx, run, token, http.MethodGet, h.path(), nil, &vars); err != nil {
		return held, err
	}
	if v, ok := vars[steps.KeyName]; ok {
		held.There, held.Key = true, run.Secret(v)
	}
	if v, ok := vars[steps.SecretKeyName]; ok {
		held.SecretKey = run.Secret(v)
	}
	var account struct{ Email string }
	if err := h.do(ctx, run, token, http.MethodGet, "/account", nil, &account); err == nil && account.Email != "" {
		held.Where += ", as " + run.Redactor.Clean(account.Email)
	}
	return held, nil
}

func (h *heroku) put(ctx context.Context, run *steps.Run, key steps.Secret, _ steps.Held) (string, error) {
	value := key.Reveal()
	return "", h.set(ctx, run, &value)
}

func (h *heroku) restore(ctx context.Context, run *steps.Run, _ steps.Delivery, old steps.Secret, _ steps.Held) error {
	if !old.Set() {
		return h.set(ctx, run, nil)
	}
	value := old.Reveal()
	return h.set(ctx, run, &value)
}

// set changes the one config var; nil removes it.
func (h *heroku) set(ctx context.Context, run *steps.Run, value *string) error {
	token, err := h.token(ctx, run)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]*string{steps.KeyName: value})
	if err != nil {
		return errors.New("write the request for Heroku")
	}
	return h.do(ctx, run, token, http.MethodPatch, h.path(), body, nil)
}

func (h *heroku) path() string { return "/apps/" + url.PathEscape(h.app) + "/config-vars" }

// do sends one request. It follows no redirect, which would take the token
// along, and shows nothing of the answer.
func (h *heroku) do(ctx context.Context, run *steps.Run, token steps.Secret, method, path string, body []byte, into any) error {
	ctx, stop := context.WithTimeout(ctx, run.Options.Wait())
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, h.api+path, bytes.NewReader(body))
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
		return h.problem("place-unreachable", "")
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, steps.MaxRead))
	if err != nil {
		return h.problem("place-unreachable", "")
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return h.problem("tool-not-logged-in", "Run: heroku login, or give a valid HEROKU_API_KEY, and then keysplit again.")
	case res.StatusCode == http.StatusForbidden:
		return h.problem("access-denied", "")
	case res.StatusCode == http.StatusNotFound:
		return h.problem("place-not-found", "Look at the name of the app with: heroku apps")
	case res.StatusCode == http.StatusTooManyRequests:
		return h.problem("place-unreachable", "Heroku limits requests at the moment. Run keysplit again in a few minutes.")
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

func (h *heroku) problem(code steps.Code, fix string) error {
	f := steps.NewFinding(code, "Heroku: "+tool.Said[code]).At(h.spec(), 0)
	if fix != "" {
		f = f.WithFix(fix)
	}
	return steps.Fail(f)
}
