package vendor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// Writer is a Store that can ask whether the account that is logged in may write there.
type Writer interface {
	// MayWrite is a *steps.Failure where it may not; nil where it may, or where that cannot
	// be told. h is what Look returned.
	MayWrite(ctx context.Context, run *steps.Run, h steps.Held) error
}

// Restarter is a Manager that can ask whether the account that is logged in may restart.
type Restarter interface {
	// MayRestart is as MayWrite.
	MayRestart(ctx context.Context, run *steps.Run) error
}

// MayWrite asks the cluster.
func (k *kubernetes) MayWrite(ctx context.Context, run *steps.Run, _ steps.Held) error {
	return mayPatch(ctx, run, k.String(), k.namespace, "secret/"+k.name)
}

// MayRestart asks the cluster about each of the workloads.
func (k workloads) MayRestart(ctx context.Context, run *steps.Run) error {
	for _, w := range k.all {
		if err := mayPatch(ctx, run, "kubernetes:"+k.argument, k.namespace, w); err != nil {
			return err
		}
	}
	return nil
}

// mayPatch asks whether an object may be patched. An answer that is no plain no says
// nothing: the cluster may not let this account ask.
func mayPatch(ctx context.Context, run *steps.Run, spec, namespace, object string) error {
	args := []string{"auth", "can-i", "patch", object}
	res, err := kubectl.Try(ctx, run, nil, inNamespace(namespace, args...)...)
	if err != nil || res.Code == 0 || !strings.HasPrefix(strings.TrimSpace(string(res.Stdout)), "no") {
		return err
	}
	return steps.Fail(finding.New(finding.AccessDenied, "kubectl: this account may not patch "+object+", as the cluster says. Nothing was written.").At(spec, 0).
		WithFix(finding.Do("Ask whoever runs the cluster for the permission to patch it. To see it yourself: %s", line(namespace, args...))))
}

// MayWrite asks Vault for the capabilities of the token at the secret's path.
func (v *vault) MayWrite(ctx context.Context, run *steps.Run, h steps.Held) error {
	path, needs := v.mount+"/"+v.path, []string{"root", "update"}
	if h.Version != "" {
		path = v.mount + "/data/" + v.path
		if run.Stage != steps.Closing { // which takes fields out, and that is a write of the whole
			needs = append(needs, "patch")
		}
	}
	out, err := v.tool().Try(ctx, run, nil, "token", "capabilities", path)
	if err != nil || out.Code != 0 {
		return err
	}
	has := strings.FieldsFunc(string(out.Stdout), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
	if len(has) == 0 || slices.ContainsFunc(has, func(c string) bool { return slices.Contains(needs, c) }) {
		return nil
	}
	return steps.Fail(finding.New(finding.AccessDenied, fmt.Sprintf("vault: this token may only %s at %s, and not %s. Nothing was written.",
		run.Redactor.Show(secret.Said(strings.Join(has, ", "))), secret.Inert(path), strings.Join(needs[1:], " or "))).At(v.String(), 0).
		WithFix(finding.Do("Ask whoever runs this Vault for the permission. To see it yourself: %s", finding.Shell("vault", "token", "capabilities", path))))
}
