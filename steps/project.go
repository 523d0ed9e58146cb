package steps

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
)

// Project is what preflight found. The steps after it only read it.
type Project struct {
	Root           string   // folder of manage.py, absolute, links resolved
	TopLevel       string   // the git work tree around it, or Root
	ManagePy       string   // absolute
	SettingsModule string   // e.g. "config.settings"
	SettingsFile   string   // absolute source file of that module, "" when not found
	Python         string   // absolute path of the interpreter, or of the program that starts it; "" when none was found
	PythonArgs     []string // of that program, as "compose run --rm web python" of docker; none for an interpreter of this machine
	PythonDir      string   // where that program is started, "" for the current folder
	PythonFrom     string   // where it was found, in words: "virtualenv .venv", "poetry", "PATH"
	Broken         BrokenPython
	Insists        bool           // the settings do not load without the key, as their text leaves no doubt
	User           *child.Account // that the project's code runs as, nil for ours
	UserFrom       string         // why that one, in words
	UnitFiles      []string       // that systemd gives to the unit, absolute
	Names          Names          // as the settings ask for them, "" for what they do not tell
	EnvFile        EnvFile
	Stopped        Stopped
	Source         Source // of the key
	Facts          *Facts // what the project's own Django said, nil when it was not asked or did not start
	Findings       []finding.Finding
}

// Stopped is what settings that did not load had for the keys by then.
type Stopped struct {
	Key, SecretKey KeyFacts
	Setting        string // that was being read, "" where that is not known
	Faulty         bool   // by a value or by the code, not for want of something
}

// Rel is a path relative to the top level, for people: with forward slashes, or
// the path as it is when it lies elsewhere.
func (p *Project) Rel(path string) string {
	rel, err := filepath.Rel(p.TopLevel, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return filepath.ToSlash(rel)
}

// Lent are the variables that the backend of another environment is given and that this
// process is not: those of the files of variables that alone are its places, such as an
// EnvironmentFile of systemd, as they are now. nil where that is not known.
func (r *Run) Lent() map[string]*string {
	if r.Project == nil || r.Home().Here() {
		return nil
	}
	out := map[string]*string{}
	for _, t := range r.Targets {
		file, ok := t.(interface {
			Variables(run *Run) (map[string]string, bool)
		})
		if !ok {
			return nil
		}
		vars, known := file.Variables(r)
		if !known {
			return nil
		}
		for name, value := range vars {
			out[name] = &value
		}
	}
	return out
}

// Manage is a command of manage.py, as it is typed where keysplit was started.
func (p *Project) Manage(args ...string) finding.Command {
	if p.Inside() {
		return finding.Shell(slices.Concat([]string{filepath.Base(p.Python)}, p.PythonArgs, []string{"manage.py"}, args)...)
	}
	return finding.Shell(append([]string{"python", FromHere(p.ManagePy)}, args...)...)
}

// Inside reports whether the project's Python is one of a container, or of another place
// that a command leads to.
func (p *Project) Inside() bool { return len(p.PythonArgs) > 0 }

// Starts reports whether the backend starts as its files are now, as far as that is known.
func (p *Project) Starts() bool {
	stops := []finding.Code{finding.DjangoNotRunnable, finding.ValueInlineComment, finding.EnvFileMissing, finding.EncodingInvalid, finding.SecretKeyMissing, finding.SecretKeyPlaceholder}
	return p == nil || (p.Facts == nil || p.Facts.State == "ok" || p.Facts.State == "") && !slices.ContainsFunc(p.Findings, func(f finding.Finding) bool {
		return f.Severity == finding.Error && slices.Contains(stops, f.Code)
	})
}

// MissingFile is the finding of a .env that is not there. It can be made with
// nothing but the key in it, unless an example lies beside it: a file without the
// example's other settings would not start the backend either. The backend's own is
// made from the example in development; elsewhere nobody but the operator knows the
// other settings.
func (r *Run) MissingFile(path string) finding.Finding {
	f := finding.New(finding.EnvFileMissing, "").At(r.Project.Rel(path), 0)
	sample := SampleOf(path)
	switch {
	case sample == "":
	case path == r.Project.EnvFile.Path && r.Elsewhere() == "":
		return f.WithFix(finding.Do("Run: `keysplit upgrade`. It makes the file from %s, with a SECRET_KEY of its own.", r.Project.Rel(sample)))
	default:
		return f.NotFixable().WithFix(finding.Do("Run: %s, fill in its other settings, then run `keysplit` again.", finding.Shell("cp", FromHere(sample), FromHere(path))))
	}
	return f
}

// SampleOf is the example that lies beside a .env file and is made to be copied to it, ""
// for none.
func SampleOf(path string) string {
	var names []string
	for _, ending := range []string{"example", "template", "sample", "dist", "tmpl", "tpl", "default", "defaults"} {
		names = append(names, path+"."+ending, path+"-"+ending, path+"_"+ending)
	}
	folder := filepath.Dir(path)
	if filepath.Base(path) == ".env" {
		for _, name := range []string{"env.example", "env.template", "env.sample", "example.env", "template.env", "sample.env"} {
			names = append(names, filepath.Join(folder, name), filepath.Join(folder, "."+name))
		}
	}
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// NoFolder is the finding of a file whose folder does not exist. It has the full
// path: a relative one can count from another folder than the reader thinks.
func NoFolder(path string) finding.Finding {
	folder := filepath.Dir(path)
	return finding.New(finding.PlaceNotFound, "There is no folder "+folder+", in which "+filepath.Base(path)+" should be.").At(path, 0).
		WithFix(finding.Do("Correct the path, or create the folder. A path in keysplit.toml counts from the folder of that file."))
}

// BrokenPython is a virtual environment of the project that has no Python any more. The
// zero value is none.
type BrokenPython struct {
	Folder string          // absolute
	Why    string          // in words
	Repair finding.Command // makes it again
}

// EnvFile is the .env that the backend reads, or the one that will be made.
type EnvFile struct {
	Path    string // absolute
	Exists  bool
	Readers []envfile.Dialect // who reads it, the backend's own reader first; never empty
	Found   string            // how it was found, in words: "decouple reads it", "--env-file"
	Sourced bool              // a shell, or what starts the backend, hands its variables over
	Owner   *Manager          // the program that it belongs to, nil for none
	Owned   string            // the file with that program's references: this one, or the template that it is made from
	Names   bool              // that has a line for the key, whatever it holds
	At      *envfile.Snapshot // as it was when preflight looked; nil when it could not be opened
}

// Referring reports whether the file itself holds references or ciphertext, and no secrets.
func (e EnvFile) Referring() bool { return e.Owner != nil && e.Owned == e.Path }

// ReadAs is how a file of variables is read, in words.
func (p *Project) ReadAs(path string, readers ...envfile.Dialect) string {
	if p.EnvFile.Sourced && path == p.EnvFile.Path {
		return "as it is handed over"
	}
	names := make([]string, len(readers))
	for i, reader := range readers {
		names[i] = string(reader)
	}
	return "as " + strings.Join(names, " and ") + " reads it"
}

// Server is one running server process of the project.
type Server struct {
	URL      string    // base URL, "http://127.0.0.1:8000" or "unix:/run/shop.sock"; "" while it does not listen, or where keysplit does not reach it
	Inside   string    // where it listens in a network of its own, as in a container; "" for this machine's
	PID      int       // the process that listens (for runserver the reloaded child), or waits; 0 where only its address is known
	Reloader int       // runserver's parent process, 0 without autoreload
	Folder   string    // its working folder
	Command  string    // its command line, inert
	Started  time.Time // of the process PID
	Workers  int       // processes that answer; 0 where that is not known
	Oldest   time.Time // start of the oldest of them
}

// Since is when the oldest process that answers was started: settings are read then.
func (s Server) Since() time.Time {
	if s.Oldest.IsZero() {
		return s.Started
	}
	return s.Oldest
}

// Facts is what one start of the project's Django told. No secret is in it.
type Facts struct {
	Django         string   `json:"django"` // version
	Python         string   `json:"python"` // version
	SettingsModule string   `json:"settings_module"`
	SettingsFile   string   `json:"settings_file"`
	Debug          bool     `json:"debug"`
	Reader         string   `json:"reader"`       // "decouple", "python-dotenv", "django-environ", "os.environ"
	ReaderFiles    []string `json:"reader_files"` // every file that reader opened, in order
	Looked         []string `json:"looked"`       // files that readers looked for, and that are not there
	ValueFile      string   `json:"value_file"`   // that holds no more than the key, or is to, where that is missing or refused
	Takes          bool     `json:"takes"`        // a variable of the key's name would sign, where something else gives the key now
	Key            KeyFacts `json:"key"`          // JWT_SECRET_KEY as the settings have it
	SecretKey      KeyFacts `json:"secret_key"`
	Variables      Names    `json:"variables"` // that the settings read the two keys from
	// SigningEqualsSecretKey and SigningEqualsKey compare the key that signs
	// tokens (SIMPLE_JWT's SIGNING_KEY) inside Python.
	SigningEqualsSecretKey bool `json:"signing_equals_secret_key"`
	SigningEqualsKey       bool `json:"signing_equals_key"`
	// BesideKey is a fingerprint of what the settings tell the package that makes tokens,
	// but for the key.
	BesideKey string `json:"beside_key"`
	// State is "ok", or why the settings refuse to load because of the key:
	// "key-missing", "key-equal", "key-short", "key-refused". Candidate says that
	// the rest of the facts were then learned with a throwaway key in its place.
	State      string `json:"state"`
	StateError string `json:"state_error"`
	Candidate  bool   `json:"candidate"`
	// Enforced reports whether the settings refuse to start without the key: the
	// project carries the breaking change.
	Enforced   bool          `json:"enforced"`
	Checks     []SystemCheck `json:"checks"`
	Tokens     TokenFacts    `json:"tokens"`
	Routes     Routes        `json:"routes"`
	OwnRoutes  []string      `json:"own_routes"`     // two routes by which this project is known among others, or none; to be asked with OPTIONS, which runs no view
	Hosts      []string      `json:"hosts"`          // ALLOWED_HOSTS without "*"
	UserModel  string        `json:"user_model"`     // e.g. "auth.User"
	LoginField string        `json:"username_field"` // of the login: USERNAME_FIELD as a rule
	// PasswordField is the other field of the login, "" where it is not known.
	PasswordField string `json:"password_field"`
	LoginInside   string `json:"login_inside"` // what both are in, as {"user": {...}}; "" for the body itself
	// Package makes the tokens: "simplejwt", "ninja-jwt", "graphql-jwt", "drf-jwt", "allauth-headless",
	// "pyjwt" (the project's own code), or "".
	Package    string   `json:"package"`
	TokensFile string   `json:"tokens_file"` // that uses PyJWT, where that is Package; absolute
	TokensLine int      `json:"tokens_line"` // that makes a token there, 0 where it is not seen
	Apps       []string `json:"apps"`
	// Modules are the source files of the project that the settings load, and AppModules
	// those that apps and URLs load, absolute; also such as were looked for in vain.
	// Versions are the files by which the versions of Django and of what makes tokens
	// are known.
	Modules    []string         `json:"modules,omitempty"`
	AppModules []string         `json:"app_modules,omitempty"`
	Versions   []string         `json:"versions,omitempty"`
	Output     []secret.Foreign `json:"-"` // what the settings printed, a line each
}

// KeyFacts describes a key without its value.
type KeyFacts struct {
	Set    bool `json:"set"`
	Length int  `json:"length"`
	// Source is "file" (of variables), "environment", "value-file" (it holds no more than
	// the key), "settings" (the key is in their text), "code" (what the settings fetch or
	// compute), or "".
	Source string `json:"source"`
	File   string `json:"file"` // of a value-file and of settings, absolute
	Line   int    `json:"line"` // of settings
	Sum    string `json:"sum"`  // HMAC-SHA-256 in hex under the key that keysplit gave to this session
}

// SystemCheck is one message of Django's system check framework.
type SystemCheck struct {
	Level   int    `json:"level"` // 10 debug, 20 info, 30 warning, 40 error, 50 critical
	ID      string `json:"id"`
	Message string `json:"message"`
}

// TokenFacts is the part of SIMPLE_JWT that a token must follow.
type TokenFacts struct {
	Algorithm      string   `json:"algorithm"`
	UserIDClaim    string   `json:"user_id_claim"`
	Type           string   `json:"token_type"` // that opens routes: "access", "sliding"
	Rotates        bool     `json:"rotates"`    // a refresh gives a new token to refresh with
	JWK            bool     `json:"jwk"`        // keys are fetched from an address
	TypeClaim      string   `json:"token_type_claim"`
	IDClaim        string   `json:"jti_claim"`
	Issuer         string   `json:"issuer"`
	Audience       []string `json:"audience"`
	HeaderTypes    []string `json:"header_types"` // e.g. ["Bearer"]
	HeaderName     string   `json:"header_name"`  // WSGI form, e.g. "HTTP_AUTHORIZATION"
	AccessSeconds  int64    `json:"access_seconds"`
	RefreshSeconds int64    `json:"refresh_seconds"`
	UserIDText     bool     `json:"user_id_text"` // the user id is not a number (UUID)
}

// Shared reports whether one key signs and verifies (HS256, HS384, HS512), as this
// upgrade is about; with RS or ES algorithms JWT_SECRET_KEY may not be used at
// all. What is not known counts as shared: it is simplejwt's default.
func (t TokenFacts) Shared() bool {
	return (t.Algorithm == "" || strings.HasPrefix(t.Algorithm, "HS")) && !t.JWK
}

// NotShared is the finding of tokens that no shared key signs, and with which there is
// nothing to split.
func (f *Facts) NotShared() finding.Finding {
	what := "Tokens are signed with " + secret.Inert(f.Tokens.Algorithm) + ": a key pair, and not a shared key."
	if f.Tokens.JWK {
		what = "The keys that verify tokens are fetched from an address (JWK_URL): tokens are not signed with a shared key."
	}
	made := finding.New(finding.TokenAlgorithm, what+" There is nothing to split.")
	if f.State == "key-missing" {
		made = made.WithFix(finding.Do("The settings ask for JWT_SECRET_KEY all the same, and tokens do not need it: take that out of the settings, or set it to any value."))
	}
	return made
}

// AccessLifetime is how long an access token lives.
func (t TokenFacts) AccessLifetime() time.Duration {
	return time.Duration(t.AccessSeconds) * time.Second
}

// RefreshLifetime is how long a refresh token lives.
func (t TokenFacts) RefreshLifetime() time.Duration {
	return time.Duration(t.RefreshSeconds) * time.Second
}

// Routes are URL paths of the project, "" where it has none.
type Routes struct {
	Login     string `json:"login"`
	Refresh   string `json:"refresh"`
	Verify    string `json:"verify"`
	Protected string `json:"protected"` // wants a token, takes GET: the current user as a rule
	CSRF      string `json:"csrf"`
	Health    string `json:"health"`
	Version   string `json:"version"` // that requests ask for in their Accept header, as "version=1.0"; "" where they need not
}

// Django is one running session of the project's own Django: an interpreter
// that has the settings and apps loaded and answers questions. It is started
// once per run, by preflight, because a start costs about a second.

// No value of a key crosses to keysplit; keys are compared and used inside.
type Django interface {
	// Facts is what the start told.
	Facts() *Facts
	// Recheck evaluates the settings again from scratch, with the files as they
	// are now and without any throwaway key, and runs the system checks.
	Recheck(ctx context.Context) (*Facts, error)
	// Sign returns the HMAC signature of a token's signing input under the key
	// that only the settings may know. which is "SECRET_KEY" or "SIGNING_KEY";
	// algorithm is HS256, HS384 or HS512.
	Sign(ctx context.Context, which, algorithm string, input []byte) ([]byte, error)
	// CreateUser makes a throwaway account, and DeleteUser removes it. The
	// session removes it by itself when it ends in any way.
	CreateUser(ctx context.Context) (Account, error)
	DeleteUser(ctx context.Context) error
	Close() error
}

// Trier is a Django that evaluates the settings from scratch under a trial, with no
// throwaway key and without the system checks. Nothing of it stays. The demo's Django
// is none.
type Trier interface {
	Try(ctx context.Context, t Trial) (*Facts, error)
}

// Trial is what the settings are evaluated with before it is so: variables of the
// environment (nil takes one away), the bytes of files by their absolute paths, which
// need not exist, and variables that are so (nil: unset) whatever the settings read them
// from. Same pins the variable of the key to what SECRET_KEY is now.
type Trial struct {
	Env   map[string]*string
	Files map[string][]byte
	Pin   map[string]*string
	Same  bool
}

// Account is what a login needs.
type Account struct {
	Field    string // the name of the field for Username in the login body
	Username string
	Password secret.Secret
}
