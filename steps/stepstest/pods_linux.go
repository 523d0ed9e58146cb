package stepstest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Pod is what a cluster's test sees of a pod.
type Pod struct {
	Metadata struct {
		Name, UID         string
		Labels            map[string]string
		DeletionTimestamp string
	}
	Status struct {
		Phase      string
		Conditions []struct{ Type, Status string }
	}
}

// Ready reports whether the pod serves.
func (p Pod) Ready() bool {
	for _, c := range p.Status.Conditions {
		if c.Type == "Ready" && c.Status == "True" && p.Metadata.DeletionTimestamp == "" {
			return true
		}
	}
	return false
}

// RunPods starts the controllers, which make the pods of deployments and stateful
// sets, and stands in for a node: a pod comes up, or gets the status that state
// gives for it (the fields of a PodStatus), and ends when it is told to.
func (c *Cluster) RunPods(state func(Pod) map[string]any) {
	c.t.Helper()
	c.start(filepath.Join(os.Getenv("KEYSPLIT_KUBERNETES"), "kube-controller-manager"), "--kubeconfig", c.put("controllers", c.config("admin")),
		"--controllers", "deployment-controller,replicaset-controller,statefulset-controller", "--leader-elect=false", "--secure-port=0")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	c.t.Cleanup(func() { stop(); <-done })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			for _, p := range c.pods(ctx) {
				c.serve(ctx, p, state(p))
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

// serve does what a node would do with a pod.
func (c *Cluster) serve(ctx context.Context, p Pod, status map[string]any) {
	path := "/api/v1/namespaces/shop/pods/" + p.Metadata.Name
	if p.Metadata.DeletionTimestamp != "" {
		_, _ = c.call(ctx, http.MethodDelete, path, []byte(`{"gracePeriodSeconds":0}`))
		return
	}
	if p.Status.Phase != "Pending" {
		return
	}
	if status == nil {
		now := time.Now().UTC().Format(time.RFC3339)
		condition := func(kind string) map[string]any {
			return map[string]any{"type": kind, "status": "True", "lastTransitionTime": now}
		}
		status = map[string]any{"phase": "Running", "conditions": []any{condition("Ready"), condition("ContainersReady")}}
	}
	body, err := json.Marshal(map[string]any{"status": status})
	if err == nil {
		_, _ = c.call(ctx, http.MethodPatch, path+"/status", body) // tried again at the next look
	}
}

// Pods gives the pods that are there.
func (c *Cluster) Pods() []Pod {
	c.t.Helper()
	return c.pods(c.t.Context())
}

func (c *Cluster) pods(ctx context.Context) []Pod {
	var list struct{ Items []Pod }
	if out, err := c.call(ctx, http.MethodGet, "/api/v1/namespaces/shop/pods", nil); err == nil {
		_ = json.Unmarshal(out, &list) // an answer that cannot be read has no pods
	}
	return list.Items
}

func (c *Cluster) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.tokens["admin"])
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 400 {
		err = fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return out, err
}
