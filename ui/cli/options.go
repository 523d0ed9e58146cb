package cli

import (
	"bufio"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/smoketest"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/write"
)

// options holds the flags of all commands.
type options struct {
	project, env         string
	json, noColor, plain bool
	timeout              time.Duration
	envFile, python      string
	settings, restart    string
	urls                 []string
	caFile               string
	confirm              []string
	writeConfig, fix     bool
	targets, skip        []string
	username             string
	passwordStdin        bool
	tempUser, keyStdin   bool
	rotate, dryRun, yes  bool
	static               bool
	theme                string
	force                bool
	demo                 bool // the project is the demo's throwaway one
	committed            bool // of check
	any                  bool // the environment needs no target: what an earlier run did counts
	trustConfig          bool
	reach                reach
	shown                *plainFront // the one that asks already: it has read ahead
}

// reach is where a command goes with what the configuration says.
type reach int

const (
	sends    reach = iota // it sends credentials and the key, and restarts
	delivers              // it asks the places of the environment, or writes there
	looks                 // it reads what they hold, and says so where it does not
	nowhere               // it reads files of this machine only
)

// trusting adds the flag of the commands that go where the configuration says.
func (o *options) trusting(f *pflag.FlagSet) {
	f.BoolVar(&o.trustConfig, "trust-config", false, "agree to where keysplit.toml sends credentials and the key, without being asked")
}

func (o *options) shared(f *pflag.FlagSet) {
	f.StringVar(&o.project, "project", "", "folder of the Django project (default: found from here)")
	f.StringVar(&o.env, "env", steps.DefaultEnvironment, "name of the environment")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.noColor, "no-color", false, "print no colours (also: NO_COLOR)")
	f.BoolVar(&o.plain, "accessible", false, "ask line by line instead of a full screen (also: ACCESSIBLE)")
	f.StringVar(&o.theme, "theme", "auto", "colours of the full screen: auto, dark or light")
	f.DurationVar(&o.timeout, "timeout", steps.DefaultTimeout, "limit for one wait on Django or the server; a restart gets 5m, or this where it is longer")
	f.StringVar(&o.envFile, "env-file", "", "the .env file (default: the one that the backend reads)")
	f.StringVar(&o.python, "python", "", "the project's Python interpreter (default: its virtual environment's)")
	f.StringVar(&o.settings, "settings", "", "the settings module (default: as manage.py has it)")
}

func (o *options) upgrading(f *pflag.FlagSet) {
	f.StringArrayVar(&o.targets, "target", nil, "where to write the key: "+strings.Join(write.Kinds(), ", ")+"; repeatable")
	f.StringVar(&o.restart, "restart", "", "how to restart: "+restart.Ways()+" (default runserver)")
	o.addresses(f)
	o.trusting(f)
	f.StringVar(&o.username, "username", "", "account for the login test; its password comes from KEYSPLIT_PASSWORD or --password-stdin")
	f.BoolVar(&o.passwordStdin, "password-stdin", false, "read the account's password from the first line of standard input")
	f.BoolVar(&o.tempUser, "temp-user", false, "make a throwaway account for the login test and delete it after (development only)")
	f.BoolVar(&o.keyStdin, "key-stdin", false, "import the key from the first line of standard input (before the password)")
	f.BoolVar(&o.rotate, "rotate", false, "replace the key even when it is good")
	f.StringSliceVar(&o.skip, "skip", nil, "skip steps: "+strings.Join(steps.Words(), ", "))
	f.BoolVar(&o.dryRun, "dry-run", false, "show the whole plan, change nothing")
	f.BoolVar(&o.writeConfig, "write-config", false, "after a good end, write keysplit.toml from what was used, if there is none")
}

// addresses are the flags of everything that asks the server.
func (o *options) addresses(f *pflag.FlagSet) {
	f.StringArrayVar(&o.urls, "url", nil, "base URL of the server (default: the one that runs here); repeatable, for a backend with several")
	f.StringVar(&o.caFile, "ca-file", "", "PEM file of the authorities to trust for https, instead of the system's")
}

// authorities reads --ca-file.
func (o *options) authorities() (*x509.CertPool, error) {
	if o.caFile == "" {
		return nil, nil
	}
	pem, err := file.ReadSmall(o.caFile)
	if err != nil {
		return nil, fmt.Errorf("%w: --ca-file: %w", steps.ErrUsage, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: --ca-file %s holds no certificate in PEM form", steps.ErrUsage, o.caFile)
	}
	return pool, nil
}

// run makes the run that the flags ask for. Errors wrap steps.ErrUsage.
func (o *options) run(ctx context.Context, stdio IO) (*steps.Run, error) {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", steps.ErrUsage, fmt.Sprintf(format, args...))
	}
	if o.env == "" {
		return nil, wrong("--env needs a name")
	}
	if !slices.Contains([]string{"auto", "dark", "light"}, o.theme) {
		return nil, wrong("--theme %q: choose auto, dark or light", o.theme)
	}
	if !filepath.IsAbs(string(stdio.State)) {
		return nil, wrong("KEYSPLIT_STATE_DIR needs an absolute path, and is %q", secret.Inert(string(stdio.State)))
	}
	if o.timeout <= 0 {
		return nil, wrong("--timeout needs a time above zero, such as 30s")
	}
	if o.tempUser && o.username != "" {
		return nil, wrong("--temp-user and --username exclude each other")
	}
	if o.tempUser && o.env != steps.DefaultEnvironment {
		return nil, wrong("--temp-user is for development only, not for %s", o.env)
	}
	skip, err := o.skipped()
	if err != nil {
		return nil, err
	}
	if o.rotate && skip[steps.Generate] {
		return nil, wrong("--rotate and --skip key cannot be used together")
	}
	conf, err := o.configuration()
	if err != nil {
		return nil, err
	}
	env, err := o.configured(conf)
	if err != nil {
		return nil, err
	}
	for _, u := range env.URLs {
		if err := smoketest.CheckURL(u); err != nil {
			return nil, err
		}
	}
	if len(env.Targets) == 0 && o.envFile == "" && o.env != steps.DefaultEnvironment {
		// The .env here says nothing about another environment, unless the user says
		// that it is that one's.
		if env.Targets = o.delivered(stdio.State); len(env.Targets) == 0 && !o.any {
			return nil, wrong("where does %s keep its key? Say it with --target, or with targets in keysplit.toml; when this machine is %s: --target dotenv", o.env, o.env)
		}
	}
	targets, err := write.Targets(env.Targets)
	if err != nil {
		return nil, err
	}
	roots, err := o.authorities()
	if err != nil {
		return nil, err
	}
	run := &steps.Run{Prints: secret.NewFingerprinter(nil), Targets: targets}
	if len(targets) == 0 {
		run.Targets = write.Default()
	}
	run.Options = steps.Options{
		Folder: o.project, Environment: o.env, State: stdio.State, EnvFile: o.envFile,
		Python: cmp.Or(o.python, conf.Python), Settings: cmp.Or(o.settings, conf.Settings),
		Targets: targets, URLs: env.URLs, Roots: roots,
		MinLength: conf.MinLength, DistinctFrom: conf.DistinctFrom, Routes: env.Routes(), Production: env.Production,
		Force: o.force, Static: o.static, Committed: o.committed, ReadOnly: o.dryRun, Unattended: o.yes || !stdio.InTTY, Timeout: o.timeout,
	}
	run.Answers = steps.Answers{Rotate: o.rotate, Username: env.Username, TempUser: o.tempUser}
	run.Options.Given = o.given()
	if conf.TrackedEnv {
		run.Options.TrackedEnv = fmt.Sprintf("%s:%d", filepath.Base(conf.Path), conf.TopLine("tracked_env"))
	}
	if len(env.URLs) > 0 {
		run.Options.URL = env.URLs[0]
	}
	switch {
	case env.Restart != "":
		if run.Options.Restart, err = restart.Parse(env.Restart); err != nil {
			return nil, err
		}
	case !run.Home().Here():
		run.Options.Restart = restart.For(targets)
	}
	run.Options.Skip = skip
	if err := o.consent(ctx, stdio, run, conf); err != nil {
		return nil, err
	}
	return run, o.secrets(ctx, stdio, run)
}

// delivered are the targets that an earlier upgrade of this environment delivered
// to, as its journal has them.
func (o *options) delivered(state journal.Folder) (specs []string) {
	root, _ := preflight.Root(o.project)
	if root == "" {
		return nil
	}
	j, err := state.Read(root, o.env)
	if err != nil || j == nil {
		return nil // the run itself says what is wrong with it
	}
	for _, d := range j.Deliveries() {
		if !slices.Contains(specs, d.Target) {
			specs = append(specs, d.Target)
		}
	}
	return specs
}

// given are the flags that say where and how: the same command has to have them
// again, since no configuration does. --yes and --confirm are not among them: who
// goes on after a bad end is asked.
func (o *options) given() []string {
	var out []string
	add := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				out = append(out, flag, v)
			}
		}
	}
	add("--project", o.project)
	add("--env-file", o.envFile)
	add("--python", o.python)
	add("--settings", o.settings)
	add("--target", o.targets...)
	add("--restart", o.restart)
	add("--url", o.urls...)
	add("--ca-file", o.caFile)
	add("--username", o.username)
	add("--skip", strings.Join(o.skip, ","))
	if o.timeout != steps.DefaultTimeout {
		add("--timeout", o.timeout.String())
	}
	for _, f := range []struct {
		name string
		set  bool
	}{{"--temp-user", o.tempUser}, {"--fix", o.fix}, {"--write-config", o.writeConfig}} {
		if f.set {
			out = append(out, f.name)
		}
	}
	return out
}

// configuration is the project's. The demo has none: what lies in the folder that
// it is started from is somebody's own.
func (o *options) configuration() (config.Config, error) {
	if o.demo {
		return config.Config{}, nil
	}
	root, top := preflight.Root(o.project)
	if root == "" {
		return config.Config{}, nil
	}
	return config.Find(root, top)
}

// configured is the environment as the configuration file has it, with the flags
// in place of what they name.
func (o *options) configured(c config.Config) (config.Environment, error) {
	env, ok := c.Environments[o.env]
	if names := c.Names(); !ok && len(names) > 0 && o.env != steps.DefaultEnvironment {
		if near := config.Nearest(o.env, names); near != "" {
			return env, fmt.Errorf("%w: --env %q is not in %s; did you mean %q?", steps.ErrUsage, o.env, c.Path, near)
		}
		return env, fmt.Errorf("%w: --env %q is not in %s; there is: %s", steps.ErrUsage, o.env, c.Path, strings.Join(names, ", "))
	}
	if len(o.targets) > 0 {
		env.Targets = o.targets
	}
	if len(o.urls) > 0 {
		env.URLs = o.urls
	}
	env.Restart = cmp.Or(o.restart, env.Restart)
	_, password := os.LookupEnv("KEYSPLIT_PASSWORD")
	switch {
	case o.username != "":
		env.Username = o.username
	case o.tempUser || !password && !o.passwordStdin:
		env.Username = "" // the file cannot hold its password, and nobody gave it
	}
	return env, nil
}

func (o *options) skipped() (map[steps.Name]bool, error) {
	skip := map[steps.Name]bool{}
	for _, s := range o.skip {
		step, ok := steps.ParseStep(strings.TrimSpace(s))
		if !ok || !step.Skippable {
			return nil, fmt.Errorf("%w: --skip %q: the steps are %s", steps.ErrUsage, s, strings.Join(steps.Words(), ", "))
		}
		skip[step.Name] = true
	}
	return skip, nil
}

// maxLine is how many bytes a key or password may have: far more than any has,
// and far less than a file that was piped in by mistake.
const maxLine = 32 << 10

// secrets reads what may come on standard input, one line each: first the key,
// then the password. Neither is ever a flag's value, since every user of the
// machine can read those.
func (o *options) secrets(ctx context.Context, stdio IO, run *steps.Run) error {
	in := bufio.NewReader(io.LimitReader(stdio.In, 2*maxLine+4))
	line := func(what string) (secret.Secret, error) {
		text, err := readLine(ctx, stdio, in, what)
		if err != nil {
			return secret.Secret{}, err
		}
		switch {
		case text == "":
			return secret.Secret{}, fmt.Errorf("%w: %s: the line is empty", steps.ErrUsage, what)
		case len(text) > maxLine:
			return secret.Secret{}, fmt.Errorf("%w: %s: the line has more than %d bytes, so it is no key and no password", steps.ErrUsage, what, maxLine)
		}
		return run.Secret(text), nil
	}
	var err error
	if o.keyStdin {
		if run.Answers.Import, err = line("--key-stdin"); err != nil {
			return err
		}
	}
	switch password, ok := os.LookupEnv("KEYSPLIT_PASSWORD"); {
	case o.passwordStdin:
		if run.Answers.Username == "" {
			return fmt.Errorf("%w: --password-stdin needs --username", steps.ErrUsage)
		}
		run.Answers.Password, err = line("--password-stdin")
	case ok && run.Answers.Username != "":
		run.Answers.Password = run.Secret(password)
	case o.username != "" && stdio.InTTY && !o.json:
		run.Answers.Password, err = askPassword(ctx, stdio, run, o.username)
	case o.username != "":
		err = fmt.Errorf("%w: --username needs a password: set KEYSPLIT_PASSWORD or use --password-stdin", steps.ErrUsage)
	}
	// No child inherits it.
	_ = os.Unsetenv("KEYSPLIT_PASSWORD")
	return err
}

// readLine reads one line without its end, unseen when a person types it.
func readLine(ctx context.Context, stdio IO, in *bufio.Reader, what string) (string, error) {
	if stdio.InTTY {
		fmt.Fprintf(stdio.Err, "%s (not shown): ", what)
		b, err := readUnseen(ctx, stdio)
		return string(b), err
	}
	text, err := in.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || text == "") {
		return "", fmt.Errorf("%w: %s: nothing came on standard input", steps.ErrUsage, what)
	}
	return strings.TrimRight(text, "\r\n"), nil
}

func askPassword(ctx context.Context, stdio IO, run *steps.Run, user string) (secret.Secret, error) {
	fmt.Fprintf(stdio.Err, "Password of %s (not shown): ", secret.Inert(user))
	b, err := readUnseen(ctx, stdio)
	if err != nil {
		return secret.Secret{}, err
	}
	return run.Secret(string(b)), nil
}
