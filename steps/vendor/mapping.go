package vendor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// Mapper is a Store or File whose readers are given variables one by one: one that no
// line names never reaches the backend.
type Mapper interface {
	// Unmapped is what names the key for a reader and does not name both variables of a
	// grace period; none where everything does. seen is false where that cannot be told.
	Unmapped(ctx context.Context, run *steps.Run) (all []Unmapped, seen bool)
}

// Unmapped is one reader that lacks the variables of a grace period.
type Unmapped struct {
	Where string   // it, in words
	Lines []string // to add to it, beside those of the key
}

// Unmapped asks the cluster which containers get the key by its name.
func (k *kubernetes) Unmapped(ctx context.Context, run *steps.Run) (out []Unmapped, seen bool) {
	all, err := workloadList(ctx, run, k.namespace)
	if err != nil {
		return nil, false
	}
	key, until := run.Names().Grace()
	for _, w := range all {
		pod := w.pod()
		if !slices.ContainsFunc(append(pod.InitContainers, pod.Containers...), func(c containerSpec) bool { return k.lacks(c, key, until) }) {
			continue
		}
		out = append(out, Unmapped{"env of " + w.name(), k.lines(run)})
	}
	return out, true
}

// lines are those of a manifest for the two variables.
func (k *kubernetes) lines(run *steps.Run) []string {
	line := func(variable, entry string) string {
		return fmt.Sprintf("- {name: %s, valueFrom: {secretKeyRef: {name: %s, key: %s, optional: true}}}", variable, k.name, entry)
	}
	key, until := run.Names().Grace()
	second, deadline := steps.GraceNames(k.key)
	return []string{line(key, second), line(until, deadline)}
}

// lacks reports whether a container gets the key by its name and not both variables. What
// a whole Secret gives it has the names of its entries.
func (k *kubernetes) lacks(c containerSpec, names ...string) bool {
	if !c.refers(k.name, k.key) {
		return false
	}
	second, until := steps.GraceNames(k.key)
	whole := slices.ContainsFunc(c.EnvFrom, func(e envFrom) bool { return e.SecretRef != nil && e.SecretRef.Name == k.name && e.Prefix == "" })
	for _, name := range names {
		given := whole && (name == second || name == until)
		if !given && !slices.ContainsFunc(c.Env, func(e envVar) bool { return e.Name == name }) {
			return true
		}
	}
	return false
}

// workload is one of a cluster.
type workload struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Template    struct{ Spec podSpec }
		JobTemplate struct {
			Spec struct{ Template struct{ Spec podSpec } }
		}
	}
}

func (w workload) name() string { return strings.ToLower(w.Kind) + "/" + secret.Inert(w.Metadata.Name) }

// pod is the specification of its pods, also of a cron job's.
func (w workload) pod() podSpec {
	if w.isJob() {
		return w.Spec.JobTemplate.Spec.Template.Spec
	}
	return w.Spec.Template.Spec
}

func (w workload) isJob() bool { return w.Kind == "CronJob" }

// workloadList asks for the workloads of a namespace, "" for the context's own.
func workloadList(ctx context.Context, run *steps.Run, namespace string) ([]workload, error) {
	k := workloads{namespace: namespace}
	out, err := k.call(ctx, run, namespace, "get", "deployments,statefulsets,daemonsets,cronjobs", "--output", "json")
	var list struct{ Items []workload }
	if err == nil {
		err = json.Unmarshal(out, &list)
	}
	return list.Items, err
}

// Unmapped reads the service's environment: an entry for the key gets its value from
// compose, so that the two need such entries too.
func (c compose) Unmapped(ctx context.Context, run *steps.Run) (out []Unmapped, seen bool) {
	path := c.Described(run)
	whole, asked := askCompose(ctx, run, path)
	if !asked {
		var err error
		if whole, err = readCompose(path); err != nil {
			return nil, false
		}
	}
	name, err := c.choose(run, whole)
	if err != nil {
		return nil, false // the look at the target says so
	}
	s := whole.Services[name]
	from, err := whole.sourceOf(run, name, c.folder(run))
	if err != nil {
		return nil, false
	}
	if _, given := entry(s, run.Names().Key); !given || slices.ContainsFunc(envFiles(s), func(f string) bool { return steps.SameFile(file.From(c.folder(run), f), from.path) }) {
		return nil, true
	}
	var lines []string
	key, until := run.Names().Grace()
	for _, variable := range []string{key, until} {
		if _, given := entry(s, variable); !given {
			lines = append(lines, variable+": ${"+variable+":-}")
		}
	}
	if len(lines) == 0 {
		return nil, true
	}
	return []Unmapped{{"environment of the service " + secret.Inert(name) + " in " + run.Project.Rel(path), lines}}, true
}

// Unmapped cannot be told: a task definition may be in any file, see Definition.
func (a *aws) Unmapped(context.Context, *steps.Run) ([]Unmapped, bool) { return nil, false }

// Definition reports whether a file, by its text, gives a backend this secret's key, as a
// manifest or a task definition does, and the lines that the two variables need there.
func (k *kubernetes) Definition(run *steps.Run, text string) (lines []string, is bool) {
	if !strings.Contains(text, "secretKeyRef") || !strings.Contains(text, k.name) {
		return nil, false
	}
	return k.lines(run), true
}

var taskSecret = lazyregexp.New(`"valueFrom"\s*:\s*"([^"\n]+)"`)

// Definition finds the secret as a task definition of ECS names it: by its name or ARN and
// the key of the JSON object.
func (a *aws) Definition(run *steps.Run, text string) (lines []string, is bool) {
	key, until := run.Names().Grace()
	second, deadline := steps.GraceNames(a.key)
	id := a.id[strings.LastIndexByte(a.id, ':')+1:]
	for _, m := range taskSecret.FindAllStringSubmatch(text, -1) {
		if from := m[1]; strings.Contains(from, id) && strings.Contains(from+":", ":"+a.key+":") {
			for _, v := range [][2]string{{key, second}, {until, deadline}} {
				lines = append(lines, fmt.Sprintf("{%q: %q, %q: %q}", "name", v[0], "valueFrom", strings.Replace(from+":", ":"+a.key+":", ":"+v[1]+":", 1)))
			}
			return lines, true
		}
	}
	return nil, false
}

// Defined is a Mapper whose readers may also be described by a file.
type Defined interface {
	Definition(run *steps.Run, text string) (lines []string, is bool)
}

// UnmappedOf are those of all targets of a run, and the targets for which that has to be
// read from files.
func UnmappedOf(ctx context.Context, run *steps.Run) (all []Unmapped, defined []Defined) {
	for _, m := range targetsOf[Mapper](run) {
		some, seen := m.Unmapped(ctx, run)
		all = append(all, some...)
		if d, ok := m.(Defined); ok && !seen {
			defined = append(defined, d)
		}
	}
	return all, defined
}
