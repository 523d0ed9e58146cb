package vendor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/tool"
)

// github keeps the key as a secret of GitHub Actions: of a repository, or of one
// of its environments. Such a secret is never shown again.
type github struct {
	repo        string // owner/name
	environment string // "" for the repository's own
}

var githubRepo = lazyregexp.New(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)

var gh = tool.Program{
	Name: "gh", Install: "See https://cli.github.com.", Login: finding.Do("`gh auth login`"),
	Messages: []tool.Message{{Code: finding.PlaceUnreachable, Sign: lazyregexp.New(`(?i)error connecting to \S+`)}},
}

func parseGitHub(argument string) (Store, error) {
	repo, environment, named := strings.Cut(argument, "@")
	if !githubRepo.MatchString(repo) || strings.HasPrefix(repo, "-") || named && environment == "" {
		return nil, errors.New("it needs a repository")
	}
	return &github{repo: repo, environment: environment}, nil
}

func (g *github) String() string {
	if g.environment != "" {
		return "github:" + g.repo + "@" + g.environment
	}
	return "github:" + g.repo
}

func (g *github) tool() tool.Program {
	return gh
}

func (g *github) Manner() Manner {
	return Manner{
		Alone:  "GitHub never shows a value, so that no stage of a rotation could be checked there.",
		Method: "gh secret set, the value on standard input; GitHub never shows it again",
		Undo:   prose.Say("`keysplit rollback` removes the secret"),
		ByHand: finding.Do("Set the earlier value again with: %s", finding.Shell(append([]string{"gh", "secret", "set", steps.GuideNames.Key}, g.place()...)...)),
		Effects: []prose.Text{prose.Of("Workflows get the new key with their next run. Those of pull requests from forks get an empty value: " +
			"let such a job make a key of its own.")},
	}
}

// place are the arguments that name the repository and environment.
func (g *github) place() []string {
	args := []string{"--repo", g.repo}
	if g.environment != "" {
		args = append(args, "--env", g.environment)
	}
	return args
}

// path is the address of the secrets in GitHub's REST API.
func (g *github) path() string {
	if g.environment != "" {
		return "repos/" + g.repo + "/environments/" + url.PathEscape(g.environment) + "/secrets"
	}
	return "repos/" + g.repo + "/actions/secrets"
}

func (g *github) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "GitHub repository " + g.repo}
	if g.environment != "" {
		held.Where += ", environment " + g.environment
	}
	// Older programs, such as the 2.23 of Debian 12, have no gh secret list --json.
	out, err := g.tool().Call(ctx, run, g.String(), nil, "api", "--paginate", g.path()+"?per_page=100")
	if err != nil {
		return held, err
	}
	for pages := json.NewDecoder(bytes.NewReader(out)); ; {
		var page struct {
			Secrets []struct {
				Name      string
				UpdatedAt time.Time `json:"updated_at"`
			}
		}
		err := pages.Decode(&page)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return held, errors.New("the answer of gh cannot be read")
		}
		for _, s := range page.Secrets {
			if s.Name == run.Names().Key {
				held.There, held.Changed, held.Version = true, s.UpdatedAt, s.UpdatedAt.UTC().Format(time.RFC3339)
			}
		}
	}
	if who, err := g.tool().Call(ctx, run, g.String(), nil, "api", "user", "--jq", ".login"); err == nil {
		if name := run.Redactor.Show(secret.Said(strings.TrimSpace(string(who)))); name != "" {
			held.Where += ", as " + name
		}
	}
	return held, nil
}

func (g *github) Put(ctx context.Context, run *steps.Run, key secret.Secret, _ steps.Held) (string, error) {
	if _, err := g.tool().Call(ctx, run, g.String(), []byte(key.Reveal()), append([]string{"secret", "set", run.Names().Key}, g.place()...)...); err != nil {
		return "", err
	}
	h, err := g.Look(ctx, run)
	return h.Version, err
}

// restore removes the secret: it is called where there was none before, since no
// earlier value can be known.
func (g *github) Restore(ctx context.Context, run *steps.Run, _ journal.Delivery, _ secret.Secret, _ steps.Held) error {
	_, err := g.tool().Call(ctx, run, g.String(), nil, append([]string{"secret", "delete", run.Names().Key}, g.place()...)...)
	return err
}

// ByHand is the command of the place's own program.
func (g *github) ByHand(x Extra) []string {
	set := func(name string, more ...string) []string {
		return append(append([]string{"gh", "secret", "set", name}, g.place()...), more...)
	}
	return []string{fed(x.File, set(x.SecretName)...), command(set(x.PlainName, "--body", x.Plain)...)}
}
