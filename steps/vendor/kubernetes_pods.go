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

// misses reports whether a container waits for a key that its Secret does not have.
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

// ended reports whether no container of it runs any more.
func (p pod) ended() bool { return p.Status.Phase == "Succeeded" || p.Status.Phase == "Failed" }

// notReady lists the pods of one workload that are not ready, the newest first.
func (k workloads) notReady(ctx context.Context, run *steps.Run, workload string) []pod {
	return down(k.pods(ctx, run, workload))
}

// pods lists those of one workload, by its own selector. What cannot be looked at is left
// out.
func (k workloads) pods(ctx context.Context, run *steps.Run, workload string) []pod {
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
	out, _ = k.call(ctx, run, k.namespace, "get", "pods", "--selector", strings.Join(labels, ","), "--output", "json")
	return podsIn(out)
}

// podsIn reads the list of pods as kubectl prints it.
func podsIn(out []byte) []pod {
	var list struct{ Items []pod }
	if json.Unmarshal(out, &list) != nil {
		return nil
	}
	return list.Items
}

// down are the pods that are not ready and not about to go, the newest first.
func down(all []pod) []pod {
	var out []pod
	for _, p := range all {
		if !p.ready() && p.Metadata.DeletionTimestamp == "" {
			out = append(out, p)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Metadata.CreationTimestamp > out[j].Metadata.CreationTimestamp })
	return out
}
