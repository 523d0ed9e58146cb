package vendor

import (
	"context"
	"encoding/json"
	"sort"
	"strings"

	"dj/keysplit/steps"
)

// pod is what counts of one.
type pod struct {
	Metadata struct {
		Name              string
		DeletionTimestamp string
		CreationTimestamp string
	}
	Status struct {
		Phase                 string
		Conditions            []struct{ Type, Status string }
		InitContainerStatuses []container
		ContainerStatuses     []container
	}
}

type container struct {
	Name         string
	Ready        bool
	RestartCount int
	State        struct {
		Waiting    *struct{ Reason, Message string }
		Terminated *struct{ Reason string }
		Running    *struct{}
	}
}

func (p pod) ready() bool {
	for _, c := range p.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}

// misses tells whether a container waits for a key that its Secret does not have.
func (p pod) misses() (container, bool) {
	for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		// The same reason is given for a ConfigMap; the message then names that.
		if w := c.State.Waiting; w != nil && w.Reason == "CreateContainerConfigError" && !strings.Contains(strings.ToLower(w.Message), "configmap") {
			return c, true
		}
	}
	return container{}, false
}

// troubled is the container that keeps the pod from being ready.
func (p pod) troubled() container {
	for _, c := range p.Status.InitContainerStatuses {
		if c.State.Waiting != nil || c.State.Terminated != nil && c.State.Terminated.Reason != "Completed" {
			return c
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if !c.Ready {
			return c
		}
	}
	return container{}
}

// notReady lists the pods of one workload, by its own selector, that are not
// ready, the newest first. What cannot be looked at is left out.
func (k workloads) notReady(ctx context.Context, run *steps.Run, workload string) []pod {
	out, err := k.call(ctx, run, k.namespace, "get", workload, "--output", "json")
	var of struct {
		Spec struct {
			Selector struct{ MatchLabels map[string]string }
		}
	}
	if err != nil || json.Unmarshal(out, &of) != nil || len(of.Spec.Selector.MatchLabels) == 0 {
		return nil
	}
	var labels []string
	for name, value := range of.Spec.Selector.MatchLabels {
		labels = append(labels, name+"="+value)
	}
	sort.Strings(labels)
	if out, err = k.call(ctx, run, k.namespace, "get", "pods", "--selector", strings.Join(labels, ","), "--output", "json"); err != nil {
		return nil
	}
	return podsDown(out)
}

// podsDown reads the list of pods as kubectl prints it.
func podsDown(out []byte) []pod {
	var list struct{ Items []pod }
	if json.Unmarshal(out, &list) != nil {
		return nil
	}
	var down []pod
	for _, p := range list.Items {
		if !p.ready() && p.Metadata.DeletionTimestamp == "" {
			down = append(down, p)
		}
	}
	sort.SliceStable(down, func(i, j int) bool { return down[i].Metadata.CreationTimestamp > down[j].Metadata.CreationTimestamp })
	return down
}
