package write

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// The stand-ins for vault and aws are this test binary, called again.
func TestMain(m *testing.M) {
	switch os.Getenv("KEYSPLIT_STANDIN") {
	case "vault":
		os.Exit(standIn(vaultStandIn))
	case "aws":
		os.Exit(standIn(awsStandIn))
	}
	stepstest.Waiting()
	if err := os.Setenv("JWT_SECRET_KEY", "of this shell"); err != nil { // which no program that we start may see
		panic(err)
	}
	os.Exit(m.Run())
}

// standInBody is the script of a stand-in.
func standInBody(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("export DIR; KEYSPLIT_STANDIN=%s exec '%s' \"$@\"", name, self)
}

// remembered is what a stand-in remembers: every version of one secret, the oldest
// first, and the number of the current one.
type remembered struct {
	KV       int                 // of vault
	Versions []map[string]string // of vault
	Strings  []string            // of aws
	Racing   bool                // somebody writes before each write
	May      string              // of vault: the capabilities of its token, "" where it does not say
}

func standIn(serve func(k *remembered, args []string, stdin func() string) (string, error)) int {
	path := filepath.Join(os.Getenv("DIR"), "state.json")
	data, err := os.ReadFile(path)
	var k remembered
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err == nil {
		var out string
		out, err = serve(&k, os.Args[1:], func() string {
			b, _ := io.ReadAll(os.Stdin)
			f, err := os.OpenFile(filepath.Join(os.Getenv("DIR"), "stdin"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err == nil {
				_, _ = f.Write(b)
				_ = f.Close()
			}
			return string(b)
		})
		if err == nil {
			data, _ = json.Marshal(k)
			err = os.WriteFile(path, data, 0o600)
			fmt.Print(out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return 0
}

func vaultStandIn(k *remembered, args []string, stdin func() string) (string, error) {
	var words []string
	cas := 0
	for _, a := range args {
		if n, ok := strings.CutPrefix(a, "-cas="); ok {
			cas, _ = strconv.Atoi(n)
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			words = append(words, a)
		}
	}
	last := func() map[string]string { return k.Versions[len(k.Versions)-1] }
	add := func(fields map[string]string) string {
		if k.KV == 2 {
			k.Versions = append(k.Versions, fields)
		} else {
			k.Versions = []map[string]string{fields}
		}
		return fmt.Sprintf(`{"data":{"version":%d}}`, len(k.Versions))
	}
	if k.Racing && k.KV == 2 && slices.Contains(args, "patch") {
		add(last())
	}
	copied := map[string]string{}
	for n, v := range last() {
		copied[n] = v
	}
	switch strings.Join(words[:2], " ") {
	case "read sys/internal/ui/mounts/kv/app/jwt", "read sys/internal/ui/mounts/kv/app/nothing":
		return fmt.Sprintf(`{"data":{"type":"kv","path":"kv/","options":{"version":"%d"}}}`, k.KV), nil
	case "read sys/internal/ui/mounts/team/shop/app/jwt":
		return fmt.Sprintf(`{"data":{"type":"kv","path":"team/shop/","options":{"version":"%d"}}}`, k.KV), nil
	case "token capabilities":
		if k.May != "" {
			return k.May + "\n", nil
		}
	case "token lookup":
		return `{"data":{"display_name":"ldap-ada","id":"hvs.secret"}}`, nil
	}
	mounted := slices.Contains(args, "-mount=kv") || slices.Contains(args, "-mount=team/shop")
	if !mounted {
		return "", fmt.Errorf("Code: 403. Errors: permission denied")
	}
	switch strings.Join(words[:2], " ") {
	case "kv get":
		if words[2] != "app/jwt" {
			return "", fmt.Errorf("No value found at kv/data/%s", words[2])
		}
		fields, _ := json.Marshal(last())
		if k.KV == 2 {
			return fmt.Sprintf(`{"data":{"data":%s,"metadata":{"version":%d}}}`, fields, len(k.Versions)), nil
		}
		return fmt.Sprintf(`{"data":%s}`, fields), nil
	case "kv patch":
		if k.KV != 2 {
			return "", fmt.Errorf("KV engine mount must be version 2 for patch support")
		}
		if cas != len(k.Versions) {
			return "", fmt.Errorf("Code: 400. check-and-set parameter did not match the current version")
		}
		if words[3] == "-" { // several fields, as JSON
			if err := json.Unmarshal([]byte(stdin()), &copied); err != nil {
				return "", err
			}
			return add(copied), nil
		}
		copied[strings.TrimSuffix(words[3], "=-")] = stdin()
		return add(copied), nil
	case "kv put":
		if k.KV == 2 && cas != len(k.Versions) {
			return "", fmt.Errorf("Code: 400. check-and-set parameter did not match the current version")
		}
		fields := map[string]string{}
		if err := json.Unmarshal([]byte(stdin()), &fields); err != nil {
			return "", err
		}
		return add(fields), nil
	}
	return "", fmt.Errorf("vault: not understood: %d arguments", len(args))
}

func awsStandIn(k *remembered, args []string, stdin func() string) (string, error) {
	current := func() string { return k.Strings[len(k.Strings)-1] }
	answer := func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err }
	id := ""
	for i, a := range args {
		if a == "--secret-id" {
			id = args[i+1]
		}
	}
	switch args[1] {
	case "get-caller-identity":
		return `{"Account":"123456789012","Arn":"arn:aws:iam::123456789012:user/ada"}`, nil
	case "get-secret-value":
		if id != "prod/shop" {
			return "", fmt.Errorf("An error occurred (ResourceNotFoundException): Secrets Manager can't find the specified secret. It was not found")
		}
		out, err := answer(map[string]any{"SecretString": current(), "ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/shop-AbCdEf", "VersionId": fmt.Sprintf("v%d", len(k.Strings)), "CreatedDate": 1.5})
		if k.Racing {
			k.Strings = append(k.Strings, current())
		}
		return out, err
	case "put-secret-value":
		if !slices.Contains(args, "file:///dev/stdin") || !slices.Contains(args, "--client-request-token") {
			return "", fmt.Errorf("no value on standard input, or no token")
		}
		k.Strings = append(k.Strings, stdin())
		return answer(map[string]string{"VersionId": fmt.Sprintf("v%d", len(k.Strings))})
	}
	return "", fmt.Errorf("aws: not understood: %d arguments", len(args))
}
