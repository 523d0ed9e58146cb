package vendor

import (
	"context"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// podSpec is what of a pod's specification can refer to a Secret.
type podSpec struct {
	InitContainers []containerSpec
	Containers     []containerSpec
	Volumes        []struct {
		Secret    *struct{ SecretName string }
		Projected *struct {
			Sources []struct{ Secret *struct{ Name string } }
		}
	}
}

type containerSpec struct {
	Env     []envVar
	EnvFrom []envFrom
}

type envVar struct {
	Name      string
	ValueFrom *struct {
		SecretKeyRef *struct{ Name, Key string }
	}
}

type envFrom struct {
	Prefix    string
	SecretRef *struct{ Name string }
}

// refers reports whether a container gets a key of a Secret as a variable.
func (c containerSpec) refers(secret, key string) bool {
	return slices.ContainsFunc(c.Env, func(e envVar) bool {
		return e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && e.ValueFrom.SecretKeyRef.Name == secret && e.ValueFrom.SecretKeyRef.Key == key
	})
}

// reads reports whether a pod gets this key of this Secret.
func (p podSpec) reads(secret, key string) bool {
	for _, c := range append(p.InitContainers, p.Containers...) {
		if c.refers(secret, key) || slices.ContainsFunc(c.EnvFrom, func(e envFrom) bool { return e.SecretRef != nil && e.SecretRef.Name == secret }) {
			return true
		}
	}
	for _, v := range p.Volumes {
		if v.Secret != nil && v.Secret.SecretName == secret {
			return true
		}
		if v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s struct{ Secret *struct{ Name string } }) bool {
			return s.Secret != nil && s.Secret.Name == secret
		}) {
			return true
		}
	}
	return false
}

// secretOf is the Secret that the key goes to in this run, in the namespace of the
// restart; "" when there is none.
func secretOf(run *steps.Run, namespace string) (secret, key string) {
	for _, s := range targetsOf[*kubernetes](run) {
		if s.namespace == namespace {
			return s.name, s.key
		}
	}
	return "", ""
}

// readers are the workloads of the namespace that read the Secret of this run and are not
// named, and the jobs that will at their next run. known is false where that could not be
// looked at, or no Secret of the namespace gets the key.
func (k workloads) readers(ctx context.Context, run *steps.Run) (others, jobs []string, known bool) {
	object, key := secretOf(run, k.namespace)
	if object == "" {
		return nil, nil, false
	}
	all, err := workloadList(ctx, run, k.namespace)
	if err != nil {
		return nil, nil, false
	}
	for _, w := range all {
		switch {
		case !w.pod().reads(object, key):
		case w.isJob():
			jobs = append(jobs, w.name())
		case !slices.Contains(k.all, w.name()):
			others = append(others, w.name())
		}
	}
	return others, jobs, true
}

// otherUsers says which workloads of the namespace read the Secret and are not
// named, one line each. A look that fails is told, and stops nothing.
func (k workloads) otherUsers(ctx context.Context, run *steps.Run) []prose.Text {
	const general = "Every other workload that runs this backend reads the key too: workers, beat, cron jobs. Name them as well."
	if object, _ := secretOf(run, k.namespace); object == "" {
		return []prose.Text{prose.Say(general)}
	}
	others, jobs, known := k.readers(ctx, run)
	if !known {
		return []prose.Text{prose.Say("Who else reads this Secret could not be looked at. " + general)}
	}
	var said []prose.Text
	if len(others) > 0 {
		said = append(said, prose.Labelled("Also reads this Secret, not named", "%s. Until it is restarted too, it goes on with the old key.", strings.Join(others, ", ")))
	}
	if len(jobs) > 0 {
		said = append(said, prose.Labelled("Reads it at the next run", "%s", strings.Join(jobs, ", ")))
	}
	if len(said) == 0 {
		said = append(said, prose.Say("No other workload of this namespace reads the Secret."))
	}
	return said
}

// older does for the Secret of a target what stale does after a rollout.
func (k *kubernetes) older(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	return workloads{argument: strings.TrimPrefix(k.String(), "kubernetes:"), namespace: k.namespace}.stale(ctx, run, emit)
}

// stale looks for pods that are older than the write: of the workloads that were rolled
// out, and of the others that read the Secret, which go on with what they started with.
// Where that cannot be looked at, nothing is claimed.
func (k workloads) stale(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if !run.Wrote || run.WroteAt.IsZero() {
		return nil
	}
	others, _, known := k.readers(ctx, run)
	all := append(slices.Clone(k.all), others...)
	var stale []string
	seen := 0
	for _, w := range all {
		for _, p := range k.pods(ctx, run, w) {
			made, err := time.Parse(time.RFC3339, p.Metadata.CreationTimestamp)
			if err != nil || p.Metadata.DeletionTimestamp != "" || p.ended() {
				continue
			}
			seen++
			// The cluster tells whole seconds.
			if made.Before(run.WroteAt.Truncate(time.Second)) && !slices.Contains(stale, w) {
				stale = append(stale, w)
			}
		}
	}
	switch {
	case len(stale) > 0:
		emit.Check(lineOthers, steps.MarkFailed, strings.Join(stale, ", "), "older than the key")
		names := slices.Clone(k.all)
		for _, w := range stale {
			if !slices.Contains(names, w) {
				names = append(names, w)
			}
		}
		spec := strings.Join(names, ",")
		if k.namespace != "" {
			spec = k.namespace + "/" + spec
		}
		return steps.Fail(staleOnes("Pods of "+strings.Join(stale, ", ")+" read the same Secret and are older than the key in it: they go on with the earlier one.",
			"kubernetes:"+k.argument, "kubernetes:"+spec))
	case seen > 0 && known:
		emit.Check(lineOthers, steps.MarkOK, steps.Plural(seen, "pod")+" with this Secret", "none is older than the key")
	case seen > 0:
		emit.Check(lineOthers, steps.MarkOK, steps.Plural(seen, "pod")+" of what was restarted", "none is older than the key")
	}
	return nil
}
