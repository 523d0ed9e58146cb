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
	object := "secrets/" + k.name
	if !mayNotPatch(ctx, run, k.namespace, object) {
		return nil
	}
	return steps.Fail(finding.New(finding.AccessDenied, "kubectl: your account may not patch the Secret "+k.name+". Nothing was written.").At(k.String(), 0).
		WithFix(finding.Do("Ask whoever runs the cluster for the permission to patch it. To see it yourself: %s", line(k.namespace, "auth", "can-i", "patch", object))))
}

// MayRestart asks the cluster about each of the workloads.
func (k workloads) MayRestart(ctx context.Context, run *steps.Run) error {
	for _, w := range k.all {
		if mayNotPatch(ctx, run, k.namespace, resourceOf(w)) {
			return steps.Fail(finding.New(finding.AccessDenied, "Your account may not restart "+w+".").At("kubernetes:"+k.argument, 0).
				WithFix(finding.Do("Ask for the permission to patch it, or ask somebody to run: %s", line(k.namespace, "rollout", "restart", w))))
		}
	}
	return nil
}

// mayNotPatch reports whether the cluster says that an object may not be patched. An
// answer that is no plain no says nothing: this account may not be let ask, and the exit
// code says no as well as that it failed.
func mayNotPatch(ctx context.Context, run *steps.Run, namespace, object string) bool {
	res, err := kubectl.Try(ctx, run, nil, inNamespace(namespace, "auth", "can-i", "patch", object)...)
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(res.Stdout)), "no")
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
