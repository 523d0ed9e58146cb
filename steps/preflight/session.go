package preflight

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/guard"
)

//go:embed probe/*.py
var probeFiles embed.FS

// bootstrap is the only program text on the command line. It reads the real one
// from standard input byte by byte, so that the questions behind it stay there.
const bootstrap = `import os,sys
n,s=int(sys.argv[1]),b""
while len(s)<n:
    c=os.read(0,n-len(s))
    if not c: sys.exit(3)
    s+=c
exec(compile(s,"keysplit","exec"),{"__name__":"keysplit","PROGRAM":s})`

// noInput is the exit code of a bootstrap that cannot read all of the program.
const noInput = 3

// maxAnswer bounds one answer of the probe, in bytes.
const maxAnswer = 8 << 20

var _ interface {
	steps.Django
	steps.Trier
} = (*session)(nil)

// session is one start of the project's Django.
type session struct {
	proc    *child.Process
	python  string
	from    string
	project *steps.Project
	show    func(secret.Foreign) string
	learn   *secret.Redactor
	secret  func(string) secret.Secret
	notes   *journal.Journal // nil in a run that may change nothing
	handed  func() map[string]string
	lent    func() map[string]*string
	made    journal.Account // the throwaway account of this session
	wait    time.Duration
	token   string
	answers chan []byte
	life    context.Context // ends with a mistake of keysplit's own in one of the goroutines
	fail    context.CancelCauseFunc
	errs    *child.Tail // what the interpreter said before the probe took over

	mu       sync.Mutex // one question at a time
	facts    *steps.Facts
	fallback bool // without the key, tokens would be signed with SECRET_KEY
}

// opening is the first line that the probe reads.
type opening struct {
	Token    string `json:"token"`
	Seal     string `json:"seal"`
	Root     string `json:"root"`
	Manage   string `json:"manage"`
	Settings string `json:"settings"`
	Guess    string `json:"guess"`
	EnvFile  string `json:"env_file"`
	// Planned is for the first evaluations.
	Planned overlay            `json:"planned"`
	Words   string             `json:"words"`  // that a message may hold
	Lent    map[string]*string `json:"lent"`   // see steps.Run.Lent
	Handed  map[string]string  `json:"handed"` // see steps.Run.HandedIn
	Least   int                `json:"least"`  // characters that the key must have
	// Variables are the names of the two keys as far as they are known, and Configured
	// those of them that the configuration says: "key", "secret_key".
	Variables  steps.Names `json:"variables"`
	Configured []string    `json:"configured"`
	Boot       string      `json:"boot"` // how the probe starts itself, where it cannot fork
	// Same are files by their paths below Root, with their SHA-256 in hexadecimal: by them
	// the probe finds the project where it is inside of a container. null elsewhere.
	Same map[string]string `json:"same"`
}

// reply is any answer of the probe.
type reply struct {
	steps.Facts
	Error      *trouble         `json:"error"`
	Output     []secret.Foreign `json:"output"`
	Fallback   bool             `json:"fallback"`
	Marks      []byte           `json:"marks"` // of secrets that only the settings know
	Names      []string         `json:"names"` // that are no secret, such as hosts
	Signature  []byte           `json:"signature"`
	Field      string           `json:"field"`
	Username   string           `json:"username"`
	LoginField string           `json:"login_field"`
	LoginName  string           `json:"login_name"`
	Password   string           `json:"password"`
	Removed    int              `json:"removed"` // accounts
}

var errEnded = errors.New("the project's Python ended")

// openSession starts the project's Django and waits for its facts. tap, when
// set, sees every byte that the probe writes; tests look for secrets there.
func openSession(ctx context.Context, run *steps.Run, p *steps.Project, tap io.Writer) (*session, error) {
	program := file.Joined(probeFiles, "probe")
	s := &session{
		python: p.Python, from: p.PythonFrom, project: p, wait: run.Options.Wait(),
		show: run.Redactor.Show, learn: &run.Redactor, secret: run.Secret, notes: run.Journal, handed: func() map[string]string { return run.HandedIn(p) }, lent: run.Lent,
		token: randomToken(), answers: make(chan []byte, 1), errs: child.NewTail(8 << 10),
	}
	s.life, s.fail = context.WithCancelCause(context.Background())
	reading, writing := io.Pipe()
	var out io.Writer = writing
	if tap != nil {
		out = io.MultiWriter(tap, writing)
	}
	cmd := child.Command{
		Path: p.Python,
		Args: []string{"-c", bootstrap, strconv.Itoa(len(program))},
		Dir:  p.Root,
		As:   p.User,
		Env:  append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"),
		// The password is for a login over HTTP, never for the settings.
		Unset: []string{"KEYSPLIT_PASSWORD"},
		Grace: 3 * time.Second,
	}
	same := sums(run, p)
	if p.Inside() {
		cmd.Args, cmd.Dir, cmd.As = slices.Concat(p.PythonArgs, []string{"-B"}, cmd.Args), p.PythonDir, nil
	}
	var err error
	if s.proc, err = cmd.Start(child.Streams{Stdout: out, Stderr: s.errs}); err != nil {
		return nil, cannotStart(p)
	}
	guard.Go(func() { s.listen(reading) }, func(err error) {
		s.fail(err)
		_ = reading.Close() // the writer is never kept waiting
	})
	guard.Go(func() {
		<-s.proc.Done()
		_ = writing.Close()
	}, s.fail)
	first, _ := json.Marshal(opening{
		Token: s.token, Seal: base64.StdEncoding.EncodeToString(run.Prints.SessionKey()),
		Root: p.Root, Manage: p.ManagePy, Settings: run.Options.Settings, Guess: p.SettingsModule, EnvFile: p.EnvFile.Path,
		Planned: planned(ctx, run, p).with(run.Adopted), Words: secret.Words(), Least: run.MinLength(), Boot: bootstrap, Handed: s.handed(), Lent: s.lent(),
		Variables: run.Names(), Configured: run.Options.Names.Known(), Same: same,
	}) // texts always have a form
	r, err := s.exchange(ctx, append(append(program, first...), '\n'))
	if err != nil {
		s.proc.Terminate()
		return nil, err
	}
	s.facts, s.fallback = &r.Facts, r.Fallback
	return s, nil
}

func randomToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return hex.EncodeToString(b)
}

// listen passes on the lines that carry the session's token. Whatever else
// comes was printed before the probe took standard output over.
func (s *session) listen(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		if answer, ok := bytes.CutPrefix(lines.Bytes(), []byte(s.token+" ")); ok {
			s.answers <- bytes.Clone(answer)
		}
	}
	// The writer is never kept waiting, also behind a line that is too long.
	_, _ = io.Copy(io.Discard, from)
	close(s.answers)
}

// exchange sends one question and waits for its answer. A session that did not
// answer in time, or whose context ended, is over.
func (s *session) exchange(ctx context.Context, question []byte) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	guard.Go(func() {
		// A child that has ended closes the pipe; its end is seen below.
		_, _ = s.proc.Stdin.Write(question)
	}, s.fail)
	select {
	case data, ok := <-s.answers:
		if !ok {
			return nil, s.ended()
		}
		return s.read(data)
	case <-s.life.Done():
		return nil, context.Cause(s.life)
	case <-ctx.Done():
		guard.Go(s.proc.Terminate, s.fail)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, notRunnable(fmt.Sprintf("Django did not answer within %v.", s.wait), "", 0,
				finding.Do("Look at what the settings wait for (a database, Redis, a network), or give it more time: `keysplit --timeout 2m`."))
		}
		return nil, ctx.Err()
	}
}

// read takes one answer of the probe.
func (s *session) read(answer []byte) (*reply, error) {
	var r reply
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, errors.New("the probe's answer is damaged")
	}
	r.Facts.Output = r.Output
	if r.Error != nil {
		s.project.Stopped = steps.Stopped{Key: r.Key, SecretKey: r.SecretKey, Setting: r.Error.Setting, Faulty: !r.Error.lacks()}
		return nil, s.explain(*r.Error)
	}
	s.learn.LearnMarks(s.token, r.Marks)
	s.learn.Allow(r.Names...)
	s.tidy(&r.Facts)
	return &r, nil
}

// tidy makes the texts of the facts fit to be shown.
func (s *session) tidy(f *steps.Facts) {
	f.StateError = s.show(secret.Said(f.StateError))
	for i := range f.Checks {
		f.Checks[i].Message = s.show(secret.Said(f.Checks[i].Message))
	}
}

func (s *session) ended() error {
	<-s.proc.Done()
	if s.proc.Code() == noInput && s.project.Inside() {
		return fmt.Errorf("%w: %w", errEnded, notRunnable("The command that starts the project's Python passes no standard input on.", "", 0, finding.Do("Add what does that: -i for docker exec, -T for docker compose.")))
	}
	last := lastLine(s.show(secret.Said(s.errs.Bytes())))
	message := fmt.Sprintf("The interpreter %s ended with code %d before it answered.", s.python, s.proc.Code())
	if last != "" {
		message += " It said: " + last
	}
	return fmt.Errorf("%w: %w", errEnded, notRunnable(message, "", 0,
		finding.Do("Run %s to see the reason, or name another interpreter: `keysplit --python PATH`.", s.project.Manage("check"))))
}

// ask sends a command.
func (s *session) ask(ctx context.Context, what string, more map[string]any) (*reply, error) {
	q := map[string]any{"ask": what}
	for k, v := range more {
		q[k] = v
	}
	line, _ := json.Marshal(q) // texts and maps of them always have a form
	return s.exchange(ctx, append(line, '\n'))
}

func (s *session) Facts() *steps.Facts { return s.facts }

func (s *session) Recheck(ctx context.Context) (*steps.Facts, error) {
	r, err := s.ask(ctx, "recheck", map[string]any{"handed": s.handed(), "env": s.lent()})
	if err != nil {
		return nil, err
	}
	s.facts = &r.Facts
	return s.facts, nil
}

func (s *session) Try(ctx context.Context, t steps.Trial) (*steps.Facts, error) {
	env := map[string]*string{}
	maps.Copy(env, s.lent())
	maps.Copy(env, t.Env)
	r, err := s.ask(ctx, "try", map[string]any{"overlay": map[string]any{"env": env, "files": t.Files, "pin": t.Pin, "same": t.Same, "handed": s.handed()}})
	if err != nil {
		return nil, err
	}
	return &r.Facts, nil
}

func (s *session) Sign(ctx context.Context, which, algorithm string, input []byte) ([]byte, error) {
	if which == "SIGNING_KEY" {
		which = "signing" // any word but SECRET_KEY
	}
	r, err := s.ask(ctx, "sign", map[string]any{
		"which": which, "algorithm": algorithm, "input": base64.StdEncoding.EncodeToString(input),
	})
	if err != nil {
		return nil, err
	}
	return r.Signature, nil
}

// Close ends the session. The probe removes its throwaway account first.
func (s *session) Close() error {
	s.proc.Stop()
	return nil
}

func lastLine(text string) string {
	last := ""
	for line := range bytes.Lines([]byte(text)) {
		if l := bytes.TrimSpace(line); len(l) > 0 {
			last = string(l)
		}
	}
	return last
}

// relative names a file of the project for a person, "" for none.
func relative(p *steps.Project, file string) string {
	if file == "" {
		return ""
	}
	if !filepath.IsAbs(file) {
		return filepath.ToSlash(file)
	}
	return p.Rel(file)
}
