package write

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

// realAWS puts the aws program on PATH, from the virtual environment that
// KEYSPLIT_AWS names, and starts moto there, a server that stands in for AWS. as
// gives the access key of the account's owner ("root"), of a user without any
// right ("guest"), or none ("").
func realAWS(t *testing.T) (aws func(stdin string, args ...string) string, as func(user string)) {
	t.Helper()
	venv := os.Getenv("KEYSPLIT_AWS")
	if venv == "" {
		t.Skip("only where KEYSPLIT_AWS names a virtual environment with awscli and moto: bash .ci/real aws")
	}
	address := stepstest.FreeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	for name, value := range map[string]string{
		"PATH": filepath.Join(venv, "bin") + ":" + os.Getenv("PATH"), "HOME": t.TempDir(), "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ENDPOINT_URL": "http://" + address, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	server := exec.Command("moto_server", "-H", host, "-p", port)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	post := func(path, body string) error {
		res, err := http.Post(os.Getenv("AWS_ENDPOINT_URL")+path, "text/plain", strings.NewReader(body))
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	for end := time.Now().Add(60 * time.Second); post("/moto-api/reset", "") != nil; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("moto does not start")
		}
	}
	aws = func(stdin string, args ...string) string {
		t.Helper()
		c := exec.Command("aws", append(args, "--output", "json")...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("aws %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	access := func(id, secret string) {
		t.Setenv("AWS_ACCESS_KEY_ID", id)
		t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	}
	access("root", stepstest.Key())
	return aws, func(user string) {
		switch user {
		case "":
			access("", "")
		case "guest":
			aws("", "iam", "create-user", "--user-name", "guest")
			var made struct {
				AccessKey struct{ AccessKeyId, SecretAccessKey string }
			}
			if err := json.Unmarshal([]byte(aws("", "iam", "create-access-key", "--user-name", "guest")), &made); err != nil {
				t.Fatal(err)
			}
			access(made.AccessKey.AccessKeyId, made.AccessKey.SecretAccessKey)
			if err := post("/moto-api/reset-auth", "0"); err != nil { // from here on rights are asked for
				t.Fatal(err)
			}
		}
	}
}

func TestTheRealAWS(t *testing.T) {
	aws, as := realAWS(t)
	starts := traced(t, "aws")
	value := func(id, stage string) string {
		var answer struct{ SecretString string }
		if err := json.Unmarshal([]byte(aws("", "secretsmanager", "get-secret-value", "--secret-id", id, "--version-stage", stage)), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.SecretString
	}
	const current, previous = "AWSCURRENT", "AWSPREVIOUS"
	other, old := stepstest.Key(), stepstest.Key()
	object := `{"secret_key":"` + other + `","url":"a?b&c","port":5432,"big":12345678901234567890}`
	aws(old, "secretsmanager", "create-secret", "--name", "whole", "--secret-string", "file:///dev/stdin")
	aws(object, "secretsmanager", "create-secret", "--name", "json", "--secret-string", "file:///dev/stdin")

	for spec, want := range map[string]func(key string) string{
		"aws:whole": func(key string) string { return key },
		// The keys of the object in their order, each other value as it stood.
		"aws:json#jwt": func(key string) string {
			return `{"big":12345678901234567890,"jwt":"` + key + `","port":5432,"secret_key":"` + other + `","url":"a?b&c"}`
		},
	} {
		t.Run(spec, func(t *testing.T) {
			id, _, _ := strings.Cut(strings.TrimPrefix(spec, "aws:"), "#")
			before := value(id, current)
			run, target := realTarget(t, spec)
			said, err := bring(run, target)
			if err != nil {
				t.Fatal(err)
			}
			key := run.Key.Reveal()
			if value(id, current) != want(key) || value(id, previous) != before {
				t.Error("the key is not there to the byte, another value changed, or the version before is not kept")
			}
			undone, err := undo(run)
			if err != nil {
				t.Fatal(err)
			}
			if got := value(id, current); id == "whole" && got != old || id == "json" && (strings.Contains(got, "jwt") || !strings.Contains(got, other)) {
				t.Error("the undo did not bring it back as it was")
			}
			noLeak(t, run, key, map[string]string{"what was said": said, "the undo": undone, "how aws was started": starts()})

			// Somebody writes after the last look.
			run, target = realTarget(t, spec)
			if _, err := target.Plan(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			changed := `{"changed":"yes"}`
			aws(changed, "secretsmanager", "put-secret-value", "--secret-id", id, "--secret-string", "file:///dev/stdin")
			stale := target.(*remote)
			_, err = stale.store.Put(t.Context(), run, run.Key, stale.held)
			wantCode(t, err, "place-conflict")
			if value(id, current) != changed {
				t.Error("somebody's change was lost")
			}
		})
	}

	refused(t, "aws:nothing", "place-not-found")
	as("guest")
	refused(t, "aws:whole", "access-denied")
	as("")
	refused(t, "aws:whole", "tool-not-logged-in")
	t.Setenv("AWS_ACCESS_KEY_ID", "root")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	refused(t, "aws:whole", "place-unreachable")
}
