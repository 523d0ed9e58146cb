package vendor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
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
	Env []struct {
		ValueFrom *struct {
			SecretKeyRef *struct{ Name, Key string }
		}
	}
	EnvFrom []struct{ SecretRef *struct{ Name string } }
}

// reads tells whether a pod gets this key of this Secret.
func (p podSpec) reads(secret, key string) bool {
	for _, c := range append(p.InitContainers, p.Containers...) {
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && e.ValueFrom.SecretKeyRef.Name == secret && e.ValueFrom.SecretKeyRef.Key == key {
				return true
			}
		}
		for _, e := range c.EnvFrom {
			if e.SecretRef != nil && e.SecretRef.Name == secret {
				return true
			}
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

// otherUsers says which workloads of the namespace read the Secret and are not
// named, one line each. A look that fails is told, and stops nothing.
func (k workloads) otherUsers(ctx context.Context, run *steps.Run) []prose.Text {
	const general = "Every other workload that runs this backend reads the key too: workers, beat, cron jobs. Name them as well."
	object, key := secretOf(run, k.namespace)
	if object == "" {
		return []prose.Text{prose.Say(general)}
	}
	out, err := k.call(ctx, run, k.namespace, "get", "deployments,statefulsets,daemonsets,cronjobs", "--output", "json")
	var list struct {
		Items []struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     struct {
				Template    struct{ Spec podSpec }
				JobTemplate struct {
					Spec struct{ Template struct{ Spec podSpec } }
				}
			}
		}
	}
	if err != nil || json.Unmarshal(out, &list) != nil {
		return []prose.Text{prose.Say("Who else reads this Secret could not be looked at. " + general)}
	}
	var others, jobs []string
	for _, i := range list.Items {
		name := strings.ToLower(i.Kind) + "/" + secret.Inert(i.Metadata.Name)
		switch {
		case i.Spec.Template.Spec.reads(object, key) && !slices.Contains(k.all, name):
			others = append(others, name)
		case i.Spec.JobTemplate.Spec.Template.Spec.reads(object, key):
			jobs = append(jobs, name)
		}
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
