package preflight

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/sys/file"
)

var (
	// tokenPackages are the packages that make tokens, and their settings.
	simplejwt     = lazyregexp.New(`\brest_framework_simplejwt\b`)
	tokenPackages = lazyregexp.New(`\b(?:rest_framework_simplejwt|ninja_jwt|graphql_jwt|rest_framework_jwt)\b|\bdjoser\.urls\.jwt\b|\bheadless\.tokens\.strategies\.jwt\b`)
	// Whatever else is about tokens has one of these in its name.
	tokenSettings = lazyregexp.New(`(?i)jwt|\bSIGNING_KEY\b`)
	// requiresPackage is such a package among what a project requires, and requiresTools
	// are packages with which a project's own code may make tokens.
	requiresPackage = lazyregexp.New(`(?i)\b(?:djangorestframework[-_.](?:simple)?jwt|django[-_.]ninja[-_.]jwt|django[-_.]graphql[-_.]jwt|drf[-_.]jwt)\b`)
	requiresTools   = lazyregexp.New(`(?i)\b(?:pyjwt|python[-_.]jose|joserfc|authlib|jwcrypto|djoser)\b`)
	withKeyPair     = lazyregexp.New(`algorithm\s*=\s*['"](?:(?:RS|ES|PS)\d+|EdDSA)['"]`)
	makesToken      = lazyregexp.New(`jwt\s*\.\s*encode\(|\bjwt_encode\w*\(|\bfrom\s+jwt\s+import\b[^\n]*\bencode\b`)
	// namedPair is such an algorithm under a name, and algorithmName is how a call says one.
	namedPair     = lazyregexp.New(`(?m)^[ \t]*(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*['"]((?:RS|ES|PS)\d+|EdDSA)['"]`)
	algorithmName = lazyregexp.New(`\balgorithm\s*=\s*(?:\w+\.)*(\w+)`)

	// keyPair is an algorithm that no shared key signs with, or an address of keys.
	keyPair   = lazyregexp.New(`['"]?\b(?:HEADLESS_)?(?:JWT_)?ALGORITHM['"]?\s*(?:\]\s*=|:|=)\s*['"]((?:RS|ES|PS)\d+|EdDSA)['"]`)
	sharedKey = lazyregexp.New(`['"]HS(?:256|384|512)['"]`)
	// pairedByDefault has a key pair unless it is told another algorithm.
	pairedByDefault = lazyregexp.New(`\bheadless\.tokens\.strategies\.jwt\b`)
	// perUser has code of the project choose the key, for each user.
	perUser = lazyregexp.New(`['"]JWT_GET_USER_SECRET_KEY['"]\s*:\s*(?:['"]|[a-z])`)
	keyURL  = lazyregexp.New(`['"]JWK_URL['"]\s*:\s*((?:\w|['"][^'"])[^\n]*)`)

	// goesOn begins settings that are not followed here.
	goesOn = lazyregexp.New(`\b(?:exec|include|optional|import_module|__import__)\s*\(`)
)

// signing is what makes a project's tokens, as far as that can be told without running
// any of its code.
type signing struct {
	shared  bool   // a package makes them, and the settings give it no key: SECRET_KEY signs
	pair    string // the algorithm of a key pair, or "JWK_URL"
	users   bool   // each user has a key, by code that is named at own
	own     string // the file of the project's own code that makes them, absolute
	line    int    // of that
	nothing bool   // nothing does
}

// readSigning tells what makes the tokens by the settings' text, what the project
// requires and, where that leaves it open, its code. The zero signing is not known, or
// a key that the settings read.
func readSigning(run *steps.Run, p *steps.Project, sources []source) signing {
	text := ""
	for _, s := range sources {
		text += s.text + "\n"
	}
	for _, s := range sources {
		if at := perUser.FindStringIndex(s.text); at != nil && !simplejwt.MatchString(text) {
			return signing{users: true, own: s.path, line: strings.Count(s.text[:at[0]], "\n") + 1}
		}
	}
	if pair := pairIn(text); pair != "" {
		return signing{pair: pair}
	}
	if run.Options.Names.Key != "" || tellsKey(sources) || inForce(p.Names, `\bKEY_VARIABLE\b`).MatchString(text) {
		return signing{}
	}
	required := requirements(p)
	mentioned := tokenSettings.MatchString(text)
	switch {
	case tokenPackages.MatchString(text), requiresPackage.MatchString(required):
		return sharedIn(p, text)
	case required == "":
		return signing{}
	case requiresTools.MatchString(required):
		switch found := ownTokens(p.Root); {
		case found.shared:
			return sharedIn(p, text)
		case found.own != "", found.pair != "":
			return found
		}
		mentioned = packageDict.MatchString(text)
	}
	return signing{nothing: !mentioned}
}

// tellsKey reports whether the settings' text names the variable of the key. What
// dynaconf's prefix makes of the guide's name is not asked for by that alone.
func tellsKey(sources []source) bool {
	key := namesIn(sources).Key
	prefix, dynamic := namingOf(sources).prefixOfDynaconf()
	return key != "" && (!dynamic || key != prefix+steps.GuideNames.Key)
}

// pairIn is the algorithm of the key pair that signs by the settings' text, or JWK_URL; ""
// for none.
func pairIn(text string) string {
	if algorithm := keyPair.FindStringSubmatch(text); algorithm != nil && !sharedKey.MatchString(text) {
		return algorithm[1]
	}
	if pairedByDefault.MatchString(text) && !simplejwt.MatchString(text) && !strings.Contains(text, "HEADLESS_JWT_ALGORITHM") {
		return "RS256"
	}
	if address := keyURL.FindStringSubmatch(text); address != nil && !strings.Contains(address[1], "None") && !sharedKey.MatchString(text) {
		return "JWK_URL"
	}
	return ""
}

// sharedIn is the signing of a package where the settings' text leaves no doubt that it
// is given no key.
func sharedIn(p *steps.Project, text string) signing {
	return signing{shared: p.SettingsFile != "" && !strings.Contains(text, "SIGNING_KEY") && !strings.Contains(text, "HEADLESS_JWT_PRIVATE_KEY") && !goesOn.MatchString(text) && !dynaconfMade.MatchString(text)}
}

// alsoRequires is how a file of requirements names another one.
var alsoRequires = lazyregexp.New(`(?m)^[ \t]*(?:-r|--requirement)[ =]*([^\s#]+)`)

// requirements is what the files say that a project requires, "" where there are none.
// Lock files are not among them: they name what others require, too.
func requirements(p *steps.Project) string {
	var files []string
	for _, dir := range upward(p.Root, p.TopLevel) {
		for _, pattern := range []string{"*requirements*.txt", "*requirements*.in", "*requirements/*.txt", "*requirements/*.in", "pyproject.toml", "Pipfile", "setup.py", "setup.cfg", "environment.y*ml", "pixi.toml"} {
			files = append(files, file.Glob(dir, pattern)...)
		}
	}
	all := ""
	for i := 0; i < len(files) && i < maxRequirements; i++ {
		text := string(readSome(files[i]))
		all += text + "\n"
		for _, m := range alsoRequires.FindAllStringSubmatch(text, -1) {
			if other := filepath.Join(filepath.Dir(files[i]), filepath.FromSlash(m[1])); !slices.Contains(files, other) {
				files = append(files, other)
			}
		}
	}
	return all
}

// How many files of requirements, and of code, one look reads.
const (
	maxRequirements = 50
	maxCode         = 5_000
)

// ownTokens looks in a project's code for what makes tokens.
func ownTokens(root string) (found signing) {
	pair, direct := "", false
	codeWithTokens(root, func(path, code string) (goOn bool) {
		if tokenPackages.MatchString(code) {
			found = signing{shared: true}
			return false
		}
		for _, at := range makesToken.FindAllStringIndex(code, -1) {
			made := call(code[at[0]:])
			if withKeyPair.MatchString(made) { // for another program
				continue
			}
			if named := pairNamed(code, made); named != "" {
				pair = named
				continue
			}
			direct = direct || strings.HasPrefix(made, "jwt.")
			if found.own == "" {
				found = signing{own: path, line: strings.Count(code[:at[0]], "\n") + 1}
			}
		}
		return true
	})
	if pair != "" && !direct && !found.shared { // what else is called like it goes there
		return signing{pair: pair}
	}
	return found
}

// codeWithTokens visits the project's own code that has to do with tokens, without its
// comments, until a visit ends it.
func codeWithTokens(root string, visit func(path, code string) (goOn bool)) {
	left := maxCode
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // what cannot be opened is not the project's code
		case d.IsDir() && path != root && (repo.Foreign(path, d.Name()) || isAside(d.Name()) || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".py" || isAside(strings.TrimSuffix(d.Name(), ".py")):
			return nil
		}
		if left--; left < 0 {
			return filepath.SkipAll
		}
		// All that is looked for has it in it.
		if data := readSome(path); bytes.Contains(data, []byte("jwt")) && !visit(path, withoutComments(string(data))) {
			return filepath.SkipAll
		}
		return nil
	})
}

// pairNamed is the algorithm of a key pair that a call names by a constant of its file, ""
// for none.
func pairNamed(code, call string) string {
	name := algorithmName.FindStringSubmatch(call)
	if name == nil {
		return ""
	}
	for _, pair := range namedPair.FindAllStringSubmatch(code, -1) {
		if pair[1] == name[1] {
			return pair[2]
		}
	}
	return ""
}

// call is the text of a call, up to the bracket that closes it.
func call(text string) string {
	depth := 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text[:i]
			}
		}
	}
	return text
}

// source is the place of a key that signs nothing here.
func (s signing) source() steps.Source {
	switch {
	case s.pair != "":
		return steps.Source{Kind: steps.KeyPair, Pair: s.pair}
	case s.users:
		return steps.Source{Kind: steps.OwnCode, File: s.own, Line: s.line, PerUser: "JWT_GET_USER_SECRET_KEY"}
	case s.own != "":
		return steps.Source{Kind: steps.OwnCode, File: s.own, Line: s.line}
	case s.nothing:
		return steps.Source{Kind: steps.NoTokens}
	}
	return steps.Source{}
}

// judgeSigning adds what the files alone tell of the key that signs. Where they are all
// that counts, tokens with nothing to split are a note: nothing that is committed lacks
// the key then.
func (d *diagnosis) judgeSigning() {
	p := d.project
	switch {
	case d.signing.shared:
		if !finding.Has(p.Findings, finding.SettingsNotUpgraded) && !finding.Has(p.Findings, finding.SigningKeyInCode) {
			p.Findings = append(p.Findings, finding.New(finding.SettingsNotUpgraded, "").At(d.tokensAt()))
		}
	case p.Source.SplitsNothing() && d.run.Options.Committed:
		p.Findings = append(p.Findings, d.run.Untaken(p.Source).WithSeverity(finding.Info))
	}
}

// packageDict is where the settings of a package begin.
var packageDict = lazyregexp.New(`(?m)^[ \t]*(?:SIMPLE_JWT|NINJA_JWT|GRAPHQL_JWT|JWT_AUTH)\b[ \t]*(?::[^=\n]*)?=`)

// tokensAt is where the settings say how tokens are made, else the settings.
func (d *diagnosis) tokensAt() (file string, line int) {
	for _, s := range slices.Backward(d.sources) {
		if at := packageDict.FindStringIndex(s.text); at != nil {
			return d.project.Rel(s.path), strings.Count(s.text[:at[0]], "\n") + 1
		}
	}
	return d.project.Rel(d.project.SettingsFile), 0
}

// sayUntilThen corrects what a missing key leads to, where the settings go on without it.
func sayUntilThen(found []finding.Finding) {
	if !finding.Has(found, finding.SettingsNotUpgraded) {
		return
	}
	for i, f := range found {
		if f.Code == finding.JWTKeyMissing {
			found[i].Why = prose.Say("Until the settings read it, tokens are signed with SECRET_KEY.")
		}
	}
}
