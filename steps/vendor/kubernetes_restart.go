package vendor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/tool"
)

// workloads rolls deployments out: pods read a Secret when they start. A name
// may carry another kind before a slash: statefulset/worker.
type workloads struct {
	argument  string   // as --restart has it
	namespace string   // "" for the context's own
	all       []string // KIND/NAME
}

func (workloads) tool() tool.Program {
	return kubectl
}

// kinds are those that can be rolled out.
var kinds = []string{"deployment", "statefulset", "daemonset"}

// parseWorkloads takes the namespace, "" for the context's own, and the workloads.
func parseWorkloads(argument string) (Manager, error) {
	k := workloads{argument: argument}
	all, err := names(argument)
	if err != nil {
		return k, err
	}
	for i, n := range all {
		parts := strings.Split(n, "/")
		kind := "deployment"
		if len(parts) > 1 && slices.Contains(kinds, parts[len(parts)-2]) {
			kind = parts[len(parts)-2]
			parts = append(parts[:len(parts)-2], parts[len(parts)-1])
		}
		switch {
		case len(parts) == 2 && i == 0:
			k.namespace = parts[0]
		case len(parts) != 1:
			return k, fmt.Errorf("%s is no workload", secret.Quote(n))
		}
		k.all = append(k.all, kind+"/"+parts[len(parts)-1])
	}
	return k, nil
}

// inNamespace are the arguments of a call for a namespace.
func inNamespace(namespace string, args ...string) []string {
	if namespace != "" {
		args = append(args, "--namespace", namespace)
	}
	return args
}

// line is such a call as a person types it.
func line(namespace string, args ...string) finding.Command {
	return finding.Shell(append([]string{"kubectl"}, inNamespace(namespace, args...)...)...)
}

func (k workloads) call(ctx context.Context, run *steps.Run, namespace string, args ...string) ([]byte, error) {
	return k.tool().Call(ctx, run, "kubernetes:"+k.argument, nil, inNamespace(namespace, args...)...)
}

// Plan looks at the workloads, and at who else reads the Secret.
func (k workloads) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	where, err := k.call(ctx, run, "", "config", "current-context")
	if err != nil {
		return steps.Plan{}, err
	}
	p := steps.Plan{
		Summary: prose.Say("Restart %s.", strings.Join(k.all, ", ")),
		Details: []prose.Text{prose.Labelled("Context", "%s", strings.TrimSpace(run.Redactor.Show(secret.Said(where))))},
		Effects: []prose.Text{prose.Say("New pods start with the new key before the old ones end. While both run, a token of one is refused by the other.")},
	}
	if k.namespace != "" {
		p.Details = append(p.Details, prose.Labelled("Namespace", "%s", k.namespace))
	}
	for _, w := range k.all {
		if _, err := k.call(ctx, run, k.namespace, "get", w, "--output", "name"); err != nil {
			return p, err
		}
	}
	if err := k.MayRestart(ctx, run); err != nil {
		return p, err
	}
	p.Details = append(p.Details, k.otherUsers(ctx, run)...)
	return p, nil
}

// resourceOf is a workload as kubectl auth can-i names it.
func resourceOf(workload string) string {
	kind, name, _ := strings.Cut(workload, "/")
	return kind + "s.apps/" + name
}

// Places are the context and its cluster, the namespace and the workloads.
func (k workloads) Places(ctx context.Context, run *steps.Run) []string {
	var out []string
	for _, ask := range [][]string{{"config", "current-context"}, {"config", "view", "--minify", "--output", "jsonpath={.clusters[0].name} {.clusters[0].cluster.server}"}} {
		if said, err := k.call(ctx, run, "", ask...); err == nil {
			out = append(out, string(said))
		}
	}
	return append(out, k.argument)
}

// Restart rolls the workloads out and waits for their pods.
func (k workloads) Restart(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit) error {
	if err := pace.each(k.all, func(w string) error { return k.one(ctx, run, pace, emit, w) }); err != nil {
		return err
	}
	return k.stale(ctx, run, emit)
}

// one rolls one of them out.
func (k workloads) one(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit, w string) error {
	emit.Await("restart "+w, "roll out "+w, pace.Limit(run))
	if _, err := k.call(ctx, run, k.namespace, "rollout", "restart", w); err != nil {
		return err
	}
	args := inNamespace(k.namespace, "rollout", "status", w, "--timeout", fmt.Sprintf("%.0fs", max(1, pace.Limit(run).Seconds())))
	// kubectl ends by itself; it is given a little longer than it has.
	res, over, err := watch(ctx, run, emit, k.tool(), pace.Limit(run)+5*time.Second, rolloutProgress.MatchString, args...)
	if err != nil {
		return err
	}
	if over || res.Code != 0 {
		emit.Check("restart "+w, steps.MarkFailed, "roll out "+w, "not all pods are up")
		return k.failed(ctx, run, emit, w)
	}
	emit.Check("restart "+w, steps.MarkOK, "rolled out "+w, "all pods are up")
	return nil
}

// rolloutProgress are the lines that count pods.
var rolloutProgress = lazyregexp.New(`^(Waiting for |deployment |statefulset |daemon set |partitioned )`)

// failed says why new pods do not come up. The old ones go on serving in the meantime.
func (k workloads) failed(ctx context.Context, run *steps.Run, emit steps.Emit, workload string) error {
	down := k.notReady(ctx, run, workload)
	for _, p := range down {
		if c, waits := p.misses(); waits {
			if c.State.Waiting.Message != "" {
				emit.Output(secret.Said(p.Metadata.Name + ": " + c.State.Waiting.Message))
			}
			f := finding.New(finding.KubernetesMissingKey, "A new pod will not start: its manifest names a key that its Secret does not have.").At(workload, 0).
				WithSeverity(finding.Error).WithFix(finding.Do("Compare the secretKeyRef in the manifest with where the key was written: %s. To go back: %s", strings.Join(run.Specs(), ", "), finding.Command(run.Command("rollback")))).NotFixable()
			f.Why = prose.Say("The old pods go on serving with the old key.")
			return steps.Fail(f)
		}
	}
	if len(down) > 0 {
		k.log(ctx, run, emit, down[0])
	}
	return wentWrong(run, workload, "The new pods of "+workload+" did not come up in time. The old ones go on serving.", finding.Do("Look at them: %s and %s. If they only take long, give them more time: `keysplit --timeout 15m`.", line(k.namespace, "describe", workload), line(k.namespace, "get", "pods")))
}

// log shows the end of what a pod that does not come up has said: of a container
// that ended before, what it said then.
func (k workloads) log(ctx context.Context, run *steps.Run, emit steps.Emit, p pod) {
	c := p.troubled()
	args := []string{"logs", p.Metadata.Name, "--tail", fmt.Sprint(logLines)}
	if c.Name != "" {
		args = append(args, "--container", c.Name)
	}
	if w := c.State.Waiting; w != nil && w.Reason != "" {
		emit.Output(secret.Said(strings.TrimSuffix(p.Metadata.Name+" waits: "+w.Reason+": "+w.Message, ": ")))
	}
	if c.RestartCount > 0 && c.State.Running == nil {
		if out, err := k.call(ctx, run, k.namespace, append(args, "--previous")...); err == nil {
			showLog(run, emit, secret.Inert(p.Metadata.Name), out)
			return
		}
	}
	if out, err := k.call(ctx, run, k.namespace, args...); err == nil {
		showLog(run, emit, secret.Inert(p.Metadata.Name), out)
	}
}
