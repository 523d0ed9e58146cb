package vendor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/tool"
)

// vault keeps the key in a field of a HashiCorp Vault secret, of the KV engine
// version 1 or 2, through the vault program and its login.
//
// Version 2 is patched with check-and-set: the other fields stay, and a change by
// someone else in between is refused. Version 1 has neither, and few accounts may
// take one field out of version 2: there the secret is read, changed and written back
// as a whole.
type vault struct {
	place       string // MOUNT/PATH
	field       string
	named       bool   // the field was
	mount, path string // of place, once Vault has said where the one ends: a mount may have slashes too
}

var vaultProgram = tool.Program{
	Name: "vault", Install: "See https://developer.hashicorp.com/vault/install.", Login: finding.Do("`vault login`"),
	Messages: []tool.Message{
		{Code: finding.PlaceUnreachable, Sign: lazyregexp.New(`(?i)server gave HTTP response to HTTPS client`), Said: "this Vault speaks http and not https.",
			Fix: finding.Do("Set VAULT_ADDR to its address with http://, if it really runs without TLS, and start `keysplit` again.")},
	},
}

func parseVault(argument string) (Store, error) {
	place, field, named := strings.Cut(argument, "#")
	place = strings.Trim(place, "/")
	mount, path, found := strings.Cut(place, "/")
	if !named {
		field = steps.GuideNames.Key
	}
	if !found || mount == "" || path == "" || field == "" || strings.HasPrefix(mount, "-") || strings.ContainsAny(argument, " =") || strings.HasPrefix(field, "@") {
		return nil, errors.New("it needs a mount and a path")
	}
	return &vault{place: place, field: field, named: named, mount: mount, path: path}, nil
}

// fieldOf is the field for the key: the one that was named, else the name in force.
func (v *vault) fieldOf(run *steps.Run) string {
	if v.named {
		return v.field
	}
	return run.Names().Key
}

func (v *vault) String() string { return "vault:" + v.place + "#" + v.field }

func (v *vault) tool() tool.Program {
	return vaultProgram
}

func (v *vault) Manner() Manner {
	return Manner{
		Method: "vault kv, the value on standard input; the other fields stay, and with KV version 2 a change by someone else in between is refused",
		Undo:   prose.Say("`keysplit rollback` brings the earlier value back, as a new version where Vault keeps versions"),
	}
}

// version is that of the KV engine of the place. It also learns where the mount's
// path ends, as vault kv itself does.
func (v *vault) version(ctx context.Context, run *steps.Run) (int, error) {
	out, err := v.tool().Call(ctx, run, v.String(), nil, "read", "-format=json", "sys/internal/ui/mounts/"+v.place)
	var failure *steps.Failure
	if errors.As(err, &failure) && finding.Has(failure.Findings, finding.AccessDenied) {
		// Vault answers the same for a mount that is not there, also to root.
		return 0, steps.Fail(finding.New(finding.AccessDenied, fmt.Sprintf("vault: there is no mount for %s, or the account that is logged in may not use it. Vault does not say which.", secret.Inert(v.place))).At(v.String(), 0).
			WithFix(finding.Do("Compare the name with `vault secrets list`, and see that VAULT_ADDR and VAULT_NAMESPACE are right. Or ask whoever runs this Vault for the right to read and patch the secret.")))
	}
	if err != nil {
		return 0, err
	}
	var mount struct {
		Data struct {
			Type    string
			Path    string // with a slash at its end
			Options map[string]string
		}
	}
	if json.Unmarshal(out, &mount) != nil {
		return 0, errors.New("the answer of vault cannot be read")
	}
	if path, ok := strings.CutPrefix(v.place, mount.Data.Path); ok && mount.Data.Path != "" && path != "" {
		v.mount, v.path = strings.TrimSuffix(mount.Data.Path, "/"), path
	}
	if mount.Data.Type != "kv" && mount.Data.Type != "generic" {
		return 0, steps.Fail(finding.New(finding.PlaceNotFound, fmt.Sprintf("The mount %s is no KV secrets engine.", secret.Inert(v.mount))).At(v.String(), 0))
	}
	if mount.Data.Options["version"] == "2" {
		return 2, nil
	}
	return 1, nil
}

// secret is a KV secret of either version.
type vaultSecret struct {
	kv      int
	version int                        // 0 with KV version 1
	fields  map[string]json.RawMessage // as they stand, so that numbers and nesting survive
}

func (v *vault) read(ctx context.Context, run *steps.Run) (vaultSecret, error) {
	kv, err := v.version(ctx, run)
	if err != nil {
		return vaultSecret{}, err
	}
	out, err := v.tool().Call(ctx, run, v.String(), nil, "kv", "get", "-format=json", "-mount="+v.mount, v.path)
	if err != nil {
		return vaultSecret{}, missing(err, finding.Do("To make the secret first: %s", finding.Shell("vault", "kv", "put", "-mount="+v.mount, v.path, "made_for="+v.fieldOf(run))))
	}
	s := vaultSecret{kv: kv}
	var answer struct{ Data json.RawMessage }
	err = json.Unmarshal(out, &answer)
	if err == nil && kv == 2 {
		var two struct {
			Data     map[string]json.RawMessage
			Metadata struct{ Version int }
		}
		err = json.Unmarshal(answer.Data, &two)
		s.fields, s.version = two.Data, two.Metadata.Version
	} else if err == nil {
		err = json.Unmarshal(answer.Data, &s.fields)
	}
	if err != nil {
		return s, errors.New("the answer of vault cannot be read")
	}
	return s, nil
}

func (v *vault) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Vault secret " + v.place + ", field " + v.fieldOf(run), Readable: true}
	if address, _ := run.LookupEnv("VAULT_ADDR"); address != "" {
		held.Where += ", at " + run.Redactor.Show(secret.Said(address))
	} else {
		held.Where += ", at https://127.0.0.1:8200 (VAULT_ADDR is not set)"
	}
	if ns, ok := run.LookupEnv("VAULT_NAMESPACE"); ok && ns != "" {
		held.Where += ", namespace " + run.Redactor.Show(secret.Said(ns))
	}
	s, err := v.read(ctx, run)
	if err != nil {
		return held, err
	}
	held.Where += v.account(ctx, run)
	if s.kv == 2 {
		held.Version = strconv.Itoa(s.version)
	}
	_, until := steps.GraceNames(v.fieldOf(run))
	for name, raw := range s.fields {
		var text string
		if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
			run.Redactor.Add(run.Prints.Secret(string(raw))) // its parts are secrets, too
			continue
		}
		if name != until {
			run.Redactor.Add(run.Prints.Secret(text))
		}
		holdPair(run, &held, v.fieldOf(run), name, text)
		switch {
		case name == v.fieldOf(run):
			held.There, held.Key = true, run.Secret(text)
		case isSecretKey(run, name):
			held.SecretKey = run.Secret(text)
		}
	}
	return held, nil
}

// account is what Vault calls the login; "" when it may not be asked.
func (v *vault) account(ctx context.Context, run *steps.Run) string {
	out, err := v.tool().Call(ctx, run, v.String(), nil, "token", "lookup", "-format=json")
	var token struct {
		Data struct {
			DisplayName string `json:"display_name"`
		}
	}
	if err != nil || json.Unmarshal(out, &token) != nil || token.Data.DisplayName == "" {
		return ""
	}
	return ", as " + run.Redactor.Show(secret.Said(token.Data.DisplayName))
}

func (v *vault) Put(ctx context.Context, run *steps.Run, key secret.Secret, h steps.Held) (string, error) {
	return v.set(ctx, run, key, h.Version)
}

// set writes one field. With KV version 2, version is the one that must be the
// latest still.
func (v *vault) set(ctx context.Context, run *steps.Run, value secret.Secret, version string) (string, error) {
	if version != "" {
		out, err := v.tool().Call(ctx, run, v.String(), []byte(value.Reveal()), "kv", "patch", "-format=json", "-mount="+v.mount, "-cas="+version, v.path, v.fieldOf(run)+"=-")
		if err != nil {
			return "", err
		}
		var done struct{ Data struct{ Version int } }
		if json.Unmarshal(out, &done) != nil || done.Data.Version == 0 {
			return "", nil // the look that follows tells
		}
		return strconv.Itoa(done.Data.Version), nil
	}
	text, _ := json.Marshal(value.Reveal()) // a string always has a form
	return "", v.replace(ctx, run, "", func(fields map[string]json.RawMessage) { fields[v.fieldOf(run)] = text })
}

// replace reads a secret, changes it and writes it back as a whole. With KV version 2
// nothing is put over a newer version than the one that is named.
func (v *vault) replace(ctx context.Context, run *steps.Run, version string, change func(map[string]json.RawMessage)) error {
	s, err := v.read(ctx, run)
	if err != nil {
		return err
	}
	fields := map[string]json.RawMessage{}
	maps.Copy(fields, s.fields)
	change(fields)
	body, err := json.Marshal(fields)
	if err != nil {
		return errors.New("write the secret for vault")
	}
	args := []string{"kv", "put", "-format=json", "-mount=" + v.mount}
	if version != "" {
		args = append(args, "-cas="+version)
	}
	_, err = v.tool().Call(ctx, run, v.String(), body, append(args, v.path, "-")...)
	return err
}

// PutPair changes all three fields at once. Where none has to go, version 2 patches them.
func (v *vault) PutPair(ctx context.Context, run *steps.Run, values Values, h steps.Held) (string, error) {
	texts := values.text(v.fieldOf(run))
	if h.Version == "" || !values.Key.Set() || !values.Second.Set() || values.Until == "" {
		return "", v.replace(ctx, run, h.Version, func(fields map[string]json.RawMessage) { change(fields, texts) })
	}
	body, _ := json.Marshal(texts) // texts always have a form
	_, err := v.tool().Call(ctx, run, v.String(), body, "kv", "patch", "-format=json", "-mount="+v.mount, "-cas="+h.Version, v.path, "-")
	return "", err
}

// change sets fields of a JSON object, or removes those that are "".
func change(fields map[string]json.RawMessage, texts map[string]string) {
	for name, text := range texts {
		delete(fields, name)
		if text != "" {
			fields[name], _ = json.Marshal(text) // a string always can be
		}
	}
}

// restore sets the field back, or takes it out.
func (v *vault) Restore(ctx context.Context, run *steps.Run, _ journal.Delivery, old secret.Secret, h steps.Held) error {
	if !old.Set() {
		return v.replace(ctx, run, h.Version, func(fields map[string]json.RawMessage) { delete(fields, v.fieldOf(run)) })
	}
	_, err := v.set(ctx, run, old, h.Version)
	return err
}

// ByHand is the command of the place's own program.
func (v *vault) ByHand(x Extra) []string {
	return []string{command("vault", "kv", "patch", "-mount="+v.mount, v.path, x.SecretName+"=@"+x.File, x.PlainName+"="+x.Plain)}
}
