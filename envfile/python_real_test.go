package envfile

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// pythonReader answers, for each file that it is given as JSON in base64, what each reader makes of it: the variables, or
// null where the reader raises an error.
const pythonReader = `
import base64, io, json, logging, os, sys
import decouple, dotenv, environ
logging.disable(logging.CRITICAL)
base = {"E": "ee", "PATH": os.environ["PATH"]}

def fresh():
    os.environ.clear()
    os.environ.update(base)

def read_decouple(path, data):
    return dict(decouple.RepositoryEnv(path).data)

def read_dotenv(path, data):
    dotenv.load_dotenv(path)
    return {k: v for k, v in os.environ.items() if base.get(k) != v}

def read_environ(path, data):
    env = environ.Env()
    env.read_env(path)
    out = {}
    for k in os.environ:
        if k not in base:
            try:
                out[k] = env(k)
            except Exception:
                out[k] = None
    return out

answers = []
for raw in json.load(sys.stdin):
    data = base64.b64decode(raw)
    with open(sys.argv[1], "wb") as f:
        f.write(data)
    answer = {}
    for name, read in ("decouple", read_decouple), ("python-dotenv", read_dotenv), ("django-environ", read_environ):
        fresh()
        try:
            answer[name] = read(sys.argv[1], data)
        except Exception:
            answer[name] = None
    answers.append(answer)
json.dump(answers, sys.stdout)
`

// TestModelsAgainstPython reads files of random lines with the readers that Django projects use.
func TestModelsAgainstPython(t *testing.T) {
	t.Parallel()
	interpreter := djangotest.Python(t, djangotest.Modern)
	r := rand.New(rand.NewPCG(8, 23))
	var files [][]byte
	for _, p := range shellPieces {
		files = append(files, []byte(p+"\n"), []byte("B=1\nA=a\n"+p+"\nC=3\n"))
	}
	rounds := 200
	if long {
		rounds = 800
	}
	for range rounds {
		var b bytes.Buffer
		for range 1 + r.IntN(6) {
			b.WriteString(shellPieces[r.IntN(len(shellPieces))])
			b.WriteString([]string{"\n", "\n", "\n", "\r\n", "\r", " ", ""}[r.IntN(7)])
		}
		files = append(files, b.Bytes())
	}
	asked, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(interpreter, "-c", pythonReader, filepath.Join(t.TempDir(), ".env"))
	cmd.Stdin = bytes.NewReader(asked)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []map[string]map[string]*string
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(files) {
		t.Fatalf("%d answers for %d files, %v", len(answers), len(files), err)
	}
	env := environment(map[string]string{"E": "ee", "PATH": "/usr/bin:/bin"})
	for i, data := range files {
		for _, d := range djangoReaders() {
			want := answers[i][string(d)]
			vars, err := Read(d, data, env)
			if (err != nil) != (want == nil) {
				t.Errorf("%q: the model of %s says %v, the reader %v", data, d, err, want == nil)
				continue
			}
			for name, v := range vars {
				real, there := want[name]
				_, set := env(name)
				switch {
				case d != Decouple && (set || v.State == Null): // the environment keeps its own
				case !there || v.State == Raises && real != nil || v.State == Known && (real == nil || *real != v.Value):
					t.Errorf("%q: the model of %s has %s=%q, %v; the reader %v", data, d, name, v.Value, v, there)
				}
			}
			for name := range want {
				if _, ok := vars[name]; !ok {
					t.Errorf("%q: the model of %s has no %s", data, d, name)
				}
			}
		}
	}
}
