package restart

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// The real API server and controllers roll the workloads; only the node, on which
// containers would run, is a stand-in.
func TestTheRealKubernetesRolls(t *testing.T) {
	cluster := stepstest.NewCluster(t)
	broken := make(chan map[string]any, 1) // the status of new pods of the deployment broken
	broken <- nil
	cluster.RunPods(func(p stepstest.Pod) map[string]any {
		if p.Metadata.Labels["app"] != "broken" {
			return nil
		}
		status := <-broken
		broken <- status
		return status
	})
	for name, replicas := range map[string]int{"web": 3, "worker": 1, "broken": 2} {
		cluster.Kubectl(workload("Deployment", name, replicas), "create", "-f", "-")
	}
	cluster.Kubectl(workload("StatefulSet", "beat", 2), "create", "-f", "-")

	// serving are the pods of a workload, once there are as many as it wants.
	serving := func(name string, want int) map[string]bool {
		t.Helper()
		for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			ready := map[string]bool{}
			for _, p := range cluster.Pods() {
				if p.Ready() && p.Metadata.Labels["app"] == name {
					ready[p.Metadata.UID] = true
				}
			}
			if len(ready) == want {
				return ready
			}
			if time.Now().After(end) {
				t.Fatalf("%s has %d pods that serve, not %d", name, len(ready), want)
			}
		}
	}
	kept := func(before, after map[string]bool) (n int) {
		for uid := range after {
			if before[uid] {
				n++
			}
		}
		return n
	}
	roll := func(spec string) (string, []finding.Finding, error) {
		w := managedWorld(t, "kubernetes:"+spec)
		w.run.Options.Timeout = 30 * time.Second
		if strings.HasSuffix(spec, "broken") {
			w.step.StartsWithin = 6 * time.Second
		}
		return restarted(t, w)
	}

	web, worker, beat := serving("web", 3), serving("worker", 1), serving("beat", 2)
	said, _, err := roll("shop/web,worker,statefulset/beat")
	if err != nil || strings.Count(said, "rolled out deployment/") != 2 || !strings.Contains(said, "rolled out statefulset/beat") {
		t.Fatalf("error %v\n%s", err, said)
	}
	if n := kept(web, serving("web", 3)) + kept(worker, serving("worker", 1)) + kept(beat, serving("beat", 2)); n != 0 {
		t.Errorf("%d pods are the old ones", n)
	}

	// New pods that wait, for a key that their Secret does not have or for nothing
	// that is known: the old ones go on serving.
	old := serving("broken", 2)
	waiting := func(reason string) map[string]any {
		return map[string]any{"containerStatuses": []any{map[string]any{"name": "main", "image": "none", "imageID": "", "ready": false,
			"restartCount": 0, "state": map[string]any{"waiting": map[string]any{"reason": reason}}}}}
	}
	for reason, code := range map[string]finding.Code{"ContainerCreating": "restart-failed", "CreateContainerConfigError": "kubernetes-missing-key"} {
		<-broken
		broken <- waiting(reason)
		_, found, err := roll("broken")
		if err == nil || !finding.Has(found, code) {
			t.Errorf("%s: error %v, %v", reason, err, found)
		}
		if n := kept(old, serving("broken", 2)); n != 2 {
			t.Errorf("%s: %d of the old pods go on serving", reason, n)
		}
		cluster.Kubectl("", "rollout", "undo", "deployment/broken")
	}

	_, found, err := roll("nothing")
	if err == nil || !finding.Has(found, "place-not-found") {
		t.Errorf("a deployment that is not there: error %v, %v", err, found)
	}
	cluster.As("guest")
	if _, found, err = roll("web"); err == nil || !finding.Has(found, "access-denied") {
		t.Errorf("a user without rights: error %v, %v", err, found)
	}
}

// workload is the manifest of one, which keeps all its pods while it rolls.
func workload(kind, name string, replicas int) string {
	more := `"strategy":{"rollingUpdate":{"maxUnavailable":0,"maxSurge":1}}`
	if kind == "StatefulSet" {
		more = `"serviceName":"none"`
	}
	return fmt.Sprintf(`{"apiVersion":"apps/v1","kind":%q,"metadata":{"name":%q},"spec":{"replicas":%d,"selector":{"matchLabels":{"app":%q}},%s,
"template":{"metadata":{"labels":{"app":%[4]q}},"spec":{"automountServiceAccountToken":false,"containers":[{"name":"main","image":"none"}]}}}}`, kind, name, replicas, name, more)
}
