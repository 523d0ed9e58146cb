package vendor

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A compose file may be any YAML, or none; it is read in bounded time.
func FuzzCompose(f *testing.F) {
	f.Add([]byte("services:\n  web:\n    env_file: [.env, {path: b, required: false}]\n    environment:\n      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n"))
	f.Add([]byte("x: &a [1]\nservices: {w: {environment: {JWT_SECRET_KEY: *a, 1: 2}, env_file: 3}}\n"))
	f.Add([]byte("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nservices: {w: {<<: *c}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		begun := time.Now()
		file, err := parseComposeFile(data)
		if err != nil && file.Services != nil {
			t.Errorf("services %v, error %v", file.Services, err)
		}
		for _, s := range file.with(file).Services {
			_, _ = entry(s, "JWT_SECRET_KEY")
			_ = envFiles(s)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%d bytes took %v", len(data), took)
		}
	})
}

// What kubectl answers is read without trust.
func FuzzKubernetesSecret(f *testing.F) {
	f.Add([]byte(`{"metadata":{"resourceVersion":"1","ownerReferences":[{"kind":"X","name":"y"}]},"data":{"a":"eA=="}}`))
	f.Add([]byte(`{"metadata":null,"data":{"a":null},"immutable":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s kubernetesSecret
		if json.Unmarshal(data, &s) == nil {
			_ = managedBy(s)
		}
	})
}

// What systemctl and kubectl print is read without trust.
func FuzzOutput(f *testing.F) {
	f.Add("LoadState=loaded\nEnvironmentFiles=/a (ignore_errors=no)\nMainPID=1\n")
	f.Add(`{"items":[{"status":{"containerStatuses":[{"state":{"waiting":{"reason":"CreateContainerConfigError"}}}]}}]}`)
	f.Fuzz(func(t *testing.T, out string) {
		var u unit
		u.read(out)
		for _, file := range u.files {
			if file == "" || strings.Contains(file, "\n") {
				t.Errorf("file %q", file)
			}
		}
		for _, p := range down(podsIn([]byte(out))) {
			_, _ = p.misses()
			_ = p.troubled()
		}
	})
}
