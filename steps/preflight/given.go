package preflight

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/vendor"
)

// belong says whose the .env is: another program's, or that of a shell, which hands its
// variables to settings that read the environment alone, as any place that is named does.
func (d *diagnosis) belong() {
	env, names := &d.project.EnvFile, d.run.Names()
	env.Owner, env.Sourced = steps.ManagerOf(names, readSome(env.Path)), false
	if env.Owner == nil && d.reader() == envfile.Shell {
		d.handOver()
		env.Owner = steps.ManagerOf(names, readSome(env.Path))
	}
	env.Owned = env.Path
	if template := steps.SampleOf(env.Path); env.Owner == nil && template != "" {
		if env.Owner = steps.ManagerOf(names, readSome(template)); env.Owner != nil {
			env.Owned = template
		}
	}
	env.Names = sets(env.Owned, names.IsKey)
}

// handOver finds the file whose variables settings get that read the environment alone, if
// there is one: the named one, one that a shell has read, or that a starter hands over.
func (d *diagnosis) handOver() {
	env := &d.project.EnvFile
	h, handed := d.handed()
	if readers, named := d.named(); named {
		if env.Readers, env.Sourced = readers[:1], true; handed && steps.SameFile(h.path, env.Path) && readers[0] == envfile.Shell {
			env.Readers = []envfile.Dialect{h.reader}
		}
		return
	}
	for _, path := range d.shellFiles() {
		if d.sourced(path) {
			env.Path, env.Found, env.Sourced = path, "a shell reads it", true
			return
		}
	}
	if handed {
		env.Path, env.Found, env.Readers, env.Sourced = h.path, h.by+" hands it over", []envfile.Dialect{h.reader}, true
	}
}

// named reports whether the user named the .env as the place, and who reads it then: what
// starts the backend hands its variables over.
func (d *diagnosis) named() (readers []envfile.Dialect, ok bool) {
	env, o := d.project.EnvFile, d.run.Options
	last := env.Readers[len(env.Readers)-1:] // Docker Compose, where that reads it beside a shell
	for _, t := range o.Targets {
		if by, known := t.(interface{ ReadBy() []envfile.Dialect }); known && steps.SameFile(t.File(d.run), env.Path) {
			return append(by.ReadBy(), last...), true
		}
	}
	return last, o.EnvFile != ""
}

// loaded are the files that direnv is told to load: https://direnv.net/man/direnv-stdlib.1.html.
var loaded = lazyregexp.New(`(?m)^[ \t]*(?:dotenv|dotenv_if_exists|source_env|source_env_if_exists|source|\.)[ \t]+["']?([\w./-]+)`)

// shellFiles are the files that a shell, or direnv, may have the variables from, each once.
func (d *diagnosis) shellFiles() (files []string) {
	add := func(path string) {
		if !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	add(d.project.EnvFile.Path)
	for _, folder := range []string{d.project.Root, d.project.TopLevel} {
		envrc := filepath.Join(folder, ".envrc")
		add(envrc)
		for _, m := range loaded.FindAllStringSubmatch(string(readSome(envrc)), -1) {
			add(filepath.Join(folder, filepath.FromSlash(m[1])))
		}
	}
	add(filepath.Join(d.project.TopLevel, ".env"))
	return files
}

// sourced reports whether this process has SECRET_KEY as a file sets it: a shell has
// read that, or a program like direnv.
func (d *diagnosis) sourced(path string) bool {
	name := d.run.Names().SecretKey
	now, set := d.run.LookupEnv(name)
	vars, err := envfile.Read(envfile.Shell, readSome(path), func(string) (string, bool) { return "", false })
	if err != nil || !set || now == "" {
		return false
	}
	value, found := vars.Says(name)
	return found && value == now
}

// sourceOf is where the backend gets its key from, where that is no file of variables.
func (d *diagnosis) sourceOf(ctx context.Context, f *steps.Facts) steps.Source {
	switch {
	case d.run.Options.EnvFile != "" || len(d.run.Options.Targets) > 0:
		return steps.Source{}
	case f.ValueFile != "":
		return steps.Source{Kind: steps.ValueFile, File: f.ValueFile}
	case f.Key.Source == "value-file":
		return steps.Source{Kind: steps.ValueFile, File: f.Key.File}
	}
	if f.State == "ok" && !f.Takes {
		if source := d.sourceInCode(ctx, f); source.Kind != "" {
			return source
		}
	}
	if d.ownedElsewhere() && f.Key.Source != "file" {
		return d.launched()
	}
	if len(f.ReaderFiles)+len(f.Looked) == 0 && d.noneReads() {
		return d.nothingReads(f.SecretKey)
	}
	return steps.Source{}
}

// ownedElsewhere reports whether another program gives the backend its variables, and the
// .env has neither of the two keys. One that is to be made from an example is a place all
// the same, unless this process was given SECRET_KEY.
func (d *diagnosis) ownedElsewhere() bool {
	env, o := d.project.EnvFile, d.run.Options
	if o.EnvFile != "" || len(o.Targets) > 0 || env.Owner != nil || env.Sourced || holdsKeys(d.run.Names(), env.Path) {
		return false
	}
	_, given := d.run.LookupEnv(d.run.Names().SecretKey)
	return (given || steps.SampleOf(env.Path) == "") && d.run.Launcher() != ""
}

// launched is the source of variables that another program gives the backend.
func (d *diagnosis) launched() steps.Source {
	if d.reader() == envfile.Shell {
		return d.nothingReads(steps.KeyFacts{})
	}
	return steps.Source{Kind: steps.Launched}
}

// nothingReads is the source of settings that open no file of variables, with where they
// get SECRET_KEY from, if that is no variable: the key belongs there as well.
func (d *diagnosis) nothingReads(secretKey steps.KeyFacts) steps.Source {
	s := steps.Source{Kind: steps.NothingReads, Switch: switchOf(d.sources)}
	if c, ok := vendor.ContainedIn(d.project); ok && !d.run.Options.Committed {
		s.Target = c.Target()
	}
	fetch := func(s source) bool { return ownFetcher.MatchString(s.text) }
	switch from := secretKey.Source; {
	case from == "value-file", from == "code" && secretKey.File != "":
		s.SecretKey = secretKey
	case (from == "code" || from == "") && slices.ContainsFunc(d.sources, fetch):
		switch asks, assigned := d.asks("JWT_SECRET_KEY", d.run.Names().Key); {
		case asks:
			return s
		case assigned:
			s.Fetches = true
		}
		if asks, _ := d.asks("SECRET_KEY", d.run.Names().SecretKey); s.Fetches || !asks {
			s.SecretKey.Source = "code"
		}
	}
	return s
}

// asks reports whether the settings' text assigns a setting, by its own name or its variable's,
// or gives the package that signs a key, and whether a variable is read for it.
func (d *diagnosis) asks(setting, variable string) (asks, assigned bool) {
	for _, s := range d.sources {
		values := valuesOf(s.text, setting+" "+variable)
		if m := fetched.FindStringSubmatch(s.text); m != nil && variable == d.run.Names().Key && strings.Contains(m[1], "(") {
			values = append(values, m[1])
		}
		for _, value := range values {
			assigned, asks = true, asks || asksVariable.MatchString(value)
		}
	}
	return asks, assigned
}

// switched is a condition under which a file of variables is read.
var switched = lazyregexp.New(`(?m)^[ \t]*if[ \t]+([^\n]+):[ \t]*\n(?:[ \t]+[^\n]*\n|[ \t]*\n){0,4}?[ \t]+[^\n]*\b(?:read_env|load_dotenv)\s*\(`)

// quoted is the name of a variable in an expression.
var quoted = lazyregexp.New(`['"]([A-Z][A-Z0-9_]*)['"]`)

// switchOf is the variable that has the settings read their .env, "" for none.
func switchOf(sources []source) string {
	for _, s := range sources {
		m := switched.FindStringSubmatch(s.text)
		if m == nil || strings.Contains(m[1], "not ") {
			continue
		}
		for _, expression := range append([]string{m[1]}, valuesOf(s.text, m[1])...) {
			if name := quoted.FindStringSubmatch(expression); name != nil && strings.Contains(expression, "bool") {
				return name[1]
			}
		}
	}
	return ""
}

// ownFetcher is a library by which settings get their secrets from a store.
var ownFetcher = lazyregexp.New(`(?m)^\s*(?:import|from)\s+(?:boto3|botocore|hvac|keyring|google\.cloud\.secretmanager|google\.cloud import secretmanager|azure\.keyvault)\b`)

// sourceInCode is that of settings which load and take no variable for the key.
func (d *diagnosis) sourceInCode(ctx context.Context, f *steps.Facts) steps.Source {
	p := d.project
	switch {
	case f.Key.Source == "code":
		return steps.Source{Kind: steps.FromCode, File: f.Key.File}
	case f.Key.Source == "settings" && gitTop(p.Root) != "" && gitSays(ctx, p, f.Key.File, "ls-files", "--error-unmatch") == 1:
		return steps.Source{Kind: steps.FromCode} // settings of this machine alone, as local.py
	case f.Key.Source == "settings":
		return steps.Source{Kind: steps.Literal, File: f.Key.File, Line: f.Key.Line}
	case (f.Package == "pyjwt" || f.Package == "") && !f.Key.Set:
		signs := readSigning(d.run, p, d.sources)
		switch {
		case signs.pair != "": // that the project's own code signs with
			return signs.source()
		case signs.shared && ownTokens(p.Root).shared: // nothing loads the code that makes them until it is asked
			d.signing = signs
			return steps.Source{}
		case f.Package == "":
			return steps.Source{Kind: steps.NoTokens}
		}
		return steps.Source{Kind: steps.OwnCode, File: f.TokensFile, Line: f.TokensLine}
	}
	return steps.Source{}
}

// noneReads reports whether nothing hands a file of variables to settings that read the
// environment alone, as far as can be seen.
func (d *diagnosis) noneReads() bool {
	p, env := d.project, d.project.EnvFile
	return d.reader() == envfile.Shell && env.Owner == nil && !env.Sourced && len(env.Readers) == 1 && len(p.UnitFiles) == 0 && !handedOver(p)
}

// ownReader is what settings have in them that read a file in a way of their own, or
// that go on in files which are not followed.
var ownReader = lazyregexp.New(`['"][^'"\n]*\.env\b|\bDOTENV\b|\b(?:exec|include|optional)\s*\(`)

// textReadsNone is the same by the settings' own text, where they do not run.
func (d *diagnosis) textReadsNone() bool {
	if d.run.Options.EnvFile != "" || len(d.run.Options.Targets) > 0 || d.project.SettingsFile == "" || !d.noneReads() {
		return false
	}
	return d.place.none || !slices.ContainsFunc(d.sources, func(s source) bool { return ownReader.MatchString(s.text) })
}

// judgeGiven applies the rules to a key that no file of variables gives. Where it is
// fetched by the settings, what Django tells is judged with its other facts.
func (d *diagnosis) judgeGiven() {
	home, source := d.run.Home(), d.project.Source
	d.project.EnvFile.At, d.project.EnvFile.Exists = &envfile.Snapshot{}, false
	var err error
	if d.keys, err = home.Keys(); err != nil {
		return
	}
	d.judgeSecretKey(envfile.Parse(nil))
	untaken := d.run.Untaken(source)
	switch source.Kind {
	case steps.FromCode:
		return
	case steps.Literal, steps.OwnCode, steps.NoTokens, steps.KeyPair:
		d.found = append(d.found, untaken)
		return
	}
	for _, code := range d.run.Judge(d.keys.Key.Secret, d.keys.Rivals()...) {
		message := ""
		switch code {
		case finding.JWTKeyMissing:
			if source.Fetches {
				message = "The settings fetch JWT_SECRET_KEY themselves, and keysplit did not see it."
			}
		case finding.JWTKeyEqualsSecretKey:
			message = d.keys.EqualTo(d.keys.Key.Secret)
		case finding.JWTKeyTooShort:
			message = fmt.Sprintf("JWT_SECRET_KEY has %d characters; %d are needed.", d.keys.Key.Secret.Len(), d.run.MinLength())
		}
		if d.keys.OnlyEnvironment() {
			d.found = append(d.found, inEnvironment(code, d.keys.Key.Secret, d.run.MinLength()))
			continue
		}
		d.found = append(d.found, finding.New(code, message).At(untaken.File, 0).WithFix(untaken.Fix).NotFixable())
	}
}

// emitGiven says where the key is from.
func (d *diagnosis) emitGiven(emit steps.Emit) {
	switch s := d.project.Source; s.Kind {
	case steps.ValueFile:
		emit.Check("env-file", steps.MarkOK, d.project.Rel(s.File), "the settings read the key from it")
	case steps.FromCode:
		what, how := "the settings", "fetch the key themselves"
		if s.File != "" {
			what, how = d.project.Rel(s.File), "the settings read the key from it"
		}
		emit.Check("env-file", steps.MarkOK, what, how)
	case steps.Literal:
		emit.Check("env-file", steps.MarkFailed, d.project.Rel(s.File), "has the key in it")
	case steps.OwnCode, steps.NoTokens, steps.KeyPair:
		emit.Check("env-file", steps.MarkWarn, "the settings", "have no shared key of tokens")
	case steps.Launched:
		emit.Check("env-file", steps.MarkSkipped, "no .env", d.run.Launcher()+" gives the backend its variables")
	case steps.Unseen:
		emit.Check("env-file", steps.MarkWarn, d.project.Rel(s.File), "the settings would not read the key from it")
	default:
		what, why := "no .env", "the settings read the environment alone"
		if path := d.project.EnvFile.Path; isFile(path) {
			what, why = d.rel(), "the settings read the environment alone, and not this file"
		}
		switch {
		case s.SecretKey.File != "":
			what, why = d.project.Rel(s.SecretKey.File), "the settings read "+d.run.Names().SecretKey+" from it, and no .env"
		case s.Fetches:
			what, why = "the settings", "fetch "+d.run.Names().Key+" themselves, and read no .env"
		case s.SecretKey.Source != "":
			what, why = "the settings", "fetch their secrets themselves, and read no .env"
		}
		emit.Check("env-file", steps.MarkSkipped, what, why)
	}
}
