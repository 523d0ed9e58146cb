package vendor

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/tool"
)

// aws keeps the key in AWS Secrets Manager: as the whole of a secret, or as one
// key of a secret that holds a JSON object, through the aws program, version 1 or
// 2, and its profile.
//
// Secrets Manager keeps the version before as AWSPREVIOUS. It has no
// check-and-set, so the version is looked at once more just before the write.
type aws struct {
	id  string
	key string // of the JSON object, "" for the whole secret
}

var awsProgram = tool.Program{
	Name: "aws", Install: "See https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html.",
	Login: finding.Do("`aws sso login`, or `aws configure`"), Messages: awsMessages,
}

// awsMessages are also those of kubectl, where it has aws log it in to EKS.
var awsMessages = []tool.Message{
	{Code: finding.ToolNotLoggedIn, Sign: lazyregexp.New(`(?i)SSO token|SSO session|retrieving token from sso`),
		Fix: finding.Do("Run: `aws sso login`, with the profile that you use. Then run `keysplit` again.")},
	{Code: finding.ToolNotLoggedIn, Sign: lazyregexp.New(`(?i)security token included in the request is|UnrecognizedClientException|InvalidClientTokenId|SignatureDoesNotMatch`), Said: "AWS does not take these access keys: they are wrong, or have expired.",
		Fix: finding.Do("Run: `aws sso login`, or `aws configure`. Then run `keysplit` again. Or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for keys that expire, AWS_SESSION_TOKEN, and start `keysplit` again.")},
	{Code: finding.ToolNotLoggedIn, Sign: lazyregexp.New(`(?i)config profile \(.*?\) could not be found`), Said: "there is no such AWS profile.",
		Fix: finding.Do("Compare AWS_PROFILE with: `aws configure list-profiles`")},
	{Code: finding.PlaceNotFound, Sign: lazyregexp.New(`(?i)must specify a region`), Said: "it was not told which AWS region the secret is in.",
		Fix: finding.Do("Run: `aws configure`. Then run `keysplit` again. Or set AWS_REGION, e.g. AWS_REGION=eu-west-1, and start `keysplit` again.")},
}

func parseAWS(argument string) (Store, error) {
	id, key, named := strings.Cut(argument, "#")
	if id == "" || strings.HasPrefix(id, "-") || strings.Contains(id, " ") || named && key == "" {
		return nil, errors.New("it needs the name or ARN of a secret")
	}
	return &aws{id, key}, readsDevStdin("aws", runtime.GOOS)
}

func (a *aws) String() string {
	if a.key != "" {
		return "aws:" + a.id + "#" + a.key
	}
	return "aws:" + a.id
}

func (a *aws) tool() tool.Program {
	return awsProgram
}

func (a *aws) Manner() Manner {
	alone := ""
	if a.key == "" {
		alone = "AWS secret " + secret.Inert(a.id) + " is the key and nothing else. A second one needs a secret that is a JSON object, named as aws:SECRET-ID#JSON-KEY."
	}
	return Manner{
		Alone:   alone,
		Method:  "aws secretsmanager put-secret-value, the value on standard input; the other keys of a JSON secret stay, and the version before is kept as AWSPREVIOUS",
		Undo:    prose.Say("`keysplit rollback` puts the earlier value back as a new version"),
		Effects: []prose.Text{prose.Say("What reads the secret when it starts has to be restarted: on ECS, a new deployment.")},
	}
}

// value is a secret's current value. The fields of a JSON object are kept as
// they stand, so that numbers and nesting survive.
type awsValue struct {
	SecretString *string
	VersionID    string `json:"VersionId"`
	ARN          string
	CreatedDate  json.RawMessage
	fields       map[string]json.RawMessage
}

func (a *aws) read(ctx context.Context, run *steps.Run) (awsValue, error) {
	var v awsValue
	out, err := a.tool().Call(ctx, run, a.String(), nil, "secretsmanager", "get-secret-value", "--secret-id", a.id, "--output", "json")
	if err != nil {
		first := "to-be-set" // no good key, so that one is made; Secrets Manager takes no empty value
		if a.key != "" {
			first = "{}"
		}
		return v, missing(err, finding.Do("To make the secret first: %s", finding.Shell("aws", "secretsmanager", "create-secret", "--name", a.id, "--secret-string", first)))
	}
	if json.Unmarshal(out, &v) != nil {
		return v, errors.New("the answer of aws cannot be read")
	}
	if v.SecretString == nil {
		return v, steps.Fail(finding.New(finding.PlaceNotFound, "The secret "+secret.Inert(a.id)+" is binary, not text.").At(a.String(), 0))
	}
	if a.key != "" && json.Unmarshal([]byte(*v.SecretString), &v.fields) != nil {
		return v, steps.Fail(finding.New(finding.PlaceNotFound, "The secret "+secret.Inert(a.id)+" holds no JSON object, so it has no key "+secret.Inert(a.key)+".").At(a.String(), 0).
			WithFix(finding.Do("Leave out #%s to use the whole secret.", secret.Inert(a.key))))
	}
	return v, nil
}

func (a *aws) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "AWS secret " + secret.Inert(a.id), Readable: true}
	if a.key != "" {
		held.Where += ", key " + secret.Inert(a.key)
	}
	v, err := a.read(ctx, run)
	if err != nil {
		return held, err
	}
	if arn := strings.Split(v.ARN, ":"); len(arn) > 3 && arn[3] != "" { // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
		held.Where += ", region " + secret.Inert(arn[3])
	}
	held.Where += a.account(ctx, run)
	held.Version = v.VersionID
	if a.key == "" {
		held.There, held.Key = *v.SecretString != "", run.Secret(*v.SecretString)
		if !held.There {
			held.Key = secret.Secret{}
		}
		return held, nil
	}
	_, until := steps.GraceNames(a.key)
	for name, raw := range v.fields {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			run.Redactor.Add(run.Prints.Secret(string(raw))) // its parts are secrets, too
			continue
		}
		if name != until {
			run.Redactor.Add(run.Prints.Secret(text))
		}
		holdPair(run, &held, a.key, name, text)
		switch {
		case name == a.key:
			held.There, held.Key = true, run.Secret(text)
		case isSecretKey(run, name):
			held.SecretKey = run.Secret(text)
		}
	}
	return held, nil
}

// account names the AWS account; "" when it may not be asked.
func (a *aws) account(ctx context.Context, run *steps.Run) string {
	out, err := a.tool().Call(ctx, run, a.String(), nil, "sts", "get-caller-identity", "--output", "json")
	var who struct{ Account, Arn string }
	if err != nil || json.Unmarshal(out, &who) != nil || who.Account == "" {
		return ""
	}
	return ", account " + secret.Inert(who.Account) + " as " + secret.Inert(who.Arn)
}

func (a *aws) Put(ctx context.Context, run *steps.Run, key secret.Secret, h steps.Held) (string, error) {
	return a.write(ctx, run, h.Version, func(v awsValue) ([]byte, error) {
		if a.key == "" {
			return []byte(key.Reveal()), nil
		}
		return a.with(v, key.Reveal())
	})
}

// PutPair puts one new version that has all three keys of the JSON object changed.
func (a *aws) PutPair(ctx context.Context, run *steps.Run, values Values, h steps.Held) (string, error) {
	return a.write(ctx, run, h.Version, func(v awsValue) ([]byte, error) {
		fields, texts := maps.Clone(v.fields), values.text(a.key)
		change(fields, texts)
		for name := range v.fields {
			if text, ours := texts[name]; ours && text == "" && name != a.key {
				fields[name] = json.RawMessage(`""`) // a task of ECS that names a key which is not there does not start
			}
		}
		return object(fields)
	})
}

// with is the JSON object with one key set.
func (a *aws) with(v awsValue, value string) ([]byte, error) {
	raw, _ := json.Marshal(value) // a string always has a form
	if v.fields == nil {
		v.fields = map[string]json.RawMessage{}
	}
	v.fields[a.key] = raw
	return object(v.fields)
}

func object(fields map[string]json.RawMessage) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // a & in another value stays a &
	if enc.Encode(fields) != nil {
		return nil, errors.New("write the secret for aws")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// write puts a new version, unless the current one is not the expected one.
func (a *aws) write(ctx context.Context, run *steps.Run, version string, value func(awsValue) ([]byte, error)) (string, error) {
	v, err := a.read(ctx, run)
	if err != nil {
		return "", err
	}
	if v.VersionID != version {
		return "", steps.Fail(finding.New(finding.PlaceConflict, "").At(a.String(), 0))
	}
	text, err := value(v)
	if err != nil {
		return "", err
	}
	// With a token of ours, a request that is sent again makes no second version.
	token := make([]byte, 16)
	_, _ = rand.Read(token)
	token[6], token[8] = token[6]&0x0f|0x40, token[8]&0x3f|0x80
	id := fmt.Sprintf("%x-%x-%x-%x-%x", token[:4], token[4:6], token[6:8], token[8:10], token[10:])
	out, err := a.tool().Call(ctx, run, a.String(), text, "secretsmanager", "put-secret-value", "--secret-id", a.id,
		"--secret-string", "file:///dev/stdin", "--client-request-token", id, "--output", "json")
	if err != nil {
		return "", err
	}
	var done struct {
		VersionID string `json:"VersionId"`
	}
	if json.Unmarshal(out, &done) != nil {
		return "", errors.New("the answer of aws cannot be read")
	}
	return done.VersionID, nil
}

func (a *aws) Restore(ctx context.Context, run *steps.Run, _ journal.Delivery, old secret.Secret, h steps.Held) error {
	if a.key == "" && !old.Set() {
		return steps.Fail(finding.New(finding.PlaceNotRestored, h.Where+" was empty before, and Secrets Manager takes no empty value.").At(a.String(), 0).
			WithFix(finding.Do("Leave it, or delete the secret: %s", finding.Shell("aws", "secretsmanager", "delete-secret", "--secret-id", secret.Inert(a.id)))))
	}
	_, err := a.write(ctx, run, h.Version, func(v awsValue) ([]byte, error) {
		switch {
		case a.key == "":
			return []byte(old.Reveal()), nil
		case old.Set():
			return a.with(v, old.Reveal())
		}
		delete(v.fields, a.key)
		return object(v.fields)
	})
	return err
}

// ByHand is the command of the place's own program.
func (a *aws) ByHand(x Extra) []string {
	if a.key != "" {
		return []string{
			fmt.Sprintf("    add to the JSON object of the secret: %s, the whole content of %s, and %s, %s", x.SecretName, x.File, x.PlainName, x.Plain),
			"    aws secretsmanager has no command for one key: do it in the console, or read the secret, change it and put it back",
		}
	}
	return []string{
		// An ARN is no name; what stands at its end is.
		command("aws", "secretsmanager", "create-secret", "--name", a.id[strings.LastIndexByte(a.id, ':')+1:]+"-previous", "--secret-string", "file://"+x.File),
		fmt.Sprintf("    and give the backend that secret as %s, and %s=%s", x.SecretName, x.PlainName, x.Plain),
	}
}
