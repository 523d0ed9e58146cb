package stepstest

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Railway answers as the part of Railway's GraphQL API that its program asks
// about variables and deployments (docs.railway.com/integrations/api). It has one
// project with the service web, and the environments production, staging, and
// vault, which the account may not enter.
type Railway struct {
	mu       sync.Mutex
	home     string
	token    string
	Vars     map[string]map[string]*string // by environment; nil is a sealed one, which is never shown
	Changes  []string                      // the variables of each request that changed some
	Wrong    []string                      // requests that Railway would not understand
	Statuses []string                      // of the latest deployment, at each look; the last one stays
	Deployed time.Time                     // when that was made
	Again    int                           // how often a deployment was asked for
}

// RealRailway puts the real railway on PATH, from the folder that KEYSPLIT_RAILWAY
// names, logged in at a server of ours, with the folder of the test linked to its
// production; the test is skipped where none is named. It must be a build with
// debug assertions: no other can be pointed at a server.
func RealRailway(t testing.TB) *Railway {
	t.Helper()
	dir := os.Getenv("KEYSPLIT_RAILWAY")
	if dir == "" {
		t.Skip("only where KEYSPLIT_RAILWAY names the folder of railway: bash .ci/real railway")
	}
	r := &Railway{token: Key(), Vars: map[string]map[string]*string{}, Statuses: []string{"SUCCESS"}}
	server := Serve(t, r)
	r.home = realProgram(t, dir, map[string]string{
		"RAILWAY_BACKBOARD_URL": server, "RAILWAY_NO_TELEMETRY": "1", "RAILWAY_NO_AUTO_UPDATE": "1",
		"HTTPS_PROXY": "http://127.0.0.1:1", // nothing else is asked
	})
	for _, name := range []string{"RAILWAY_TOKEN", "RAILWAY_API_TOKEN", "RAILWAY_PROJECT_ID", "RAILWAY_ENVIRONMENT_ID", "RAILWAY_SERVICE_ID", "RAILWAY_ENV"} {
		t.Setenv(name, "") // restored afterwards
		os.Unsetenv(name)
	}
	r.LogIn(t, true, true)
	return r
}

// LogIn leaves a login where railway login leaves it: a good one or one that has
// ended. Unless the folder is linked, it belongs to no project.
func (r *Railway) LogIn(t testing.TB, good, linked bool) {
	t.Helper()
	token := r.token
	if !good {
		token = Key()
	}
	projects := map[string]any{}
	here, err := os.Getwd()
	if linked {
		projects[here] = map[string]any{"projectPath": here, "name": "shop", "project": "p", "environment": "production-id", "environmentName": "production"}
	}
	text, _ := json.Marshal(map[string]any{"projects": projects, "user": map[string]any{"token": token}})
	if err == nil {
		err = os.MkdirAll(filepath.Join(r.home, ".railway"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(r.home, ".railway", "config.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// LogOut takes the login away.
func (r *Railway) LogOut(t testing.TB) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(r.home, ".railway")); err != nil {
		t.Fatal(err)
	}
}

// ServeHTTP has a case for each operation of the API that is asked for.
func (r *Railway) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var body struct {
		OperationName string
		Variables     struct {
			ID, Name, ProjectID, EnvironmentID, ServiceID string
			Variables                                     map[string]string
			Input                                         struct{ ProjectID, EnvironmentID, ServiceID string }
		}
	}
	answer := func(v any) { AnswerJSON(w, http.StatusOK, v) }
	refuse := func(message string) {
		answer(map[string]any{"data": nil, "errors": []any{map[string]any{"message": message}}})
	}
	data := func(name string, v any) { answer(map[string]any{"data": map[string]any{name: v}}) }
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		r.Wrong = append(r.Wrong, "a body that is not GraphQL")
		refuse("Problem processing request")
		return
	}
	if req.Header.Get("Authorization") != "Bearer "+r.token {
		if req.Header.Get("Project-Access-Token") != "" {
			refuse("Project Token not found")
		} else {
			refuse("Not Authorized")
		}
		return
	}
	in := body.Variables
	vars := r.Vars[in.EnvironmentID]
	place := in.ProjectID == "p" && in.ServiceID == "web-id" && vars != nil
	list := in.Input.ProjectID == "p" && in.Input.ServiceID == "web-id" && r.Vars[in.Input.EnvironmentID] != nil
	switch op := body.OperationName; {
	case op == "Project" && in.ID == "p":
		data("project", railwayProject())
	case op == "VariablesForServiceDeployment" && place:
		data("variablesForServiceDeployment", vars)
	case op == "VariableCollectionUpsert" && place:
		text, _ := json.Marshal(in.Variables)
		r.Changes = append(r.Changes, string(text))
		for name, value := range in.Variables {
			if old, there := vars[name]; !there || old != nil { // what is sealed stays sealed
				vars[name] = &value
			}
		}
		data("variableCollectionUpsert", true)
	case op == "VariableDelete" && place:
		r.Changes = append(r.Changes, "delete "+in.Name)
		delete(vars, in.Name)
		data("variableDelete", true)
	case op == "Deployments" && list:
		status := r.Statuses[0]
		if len(r.Statuses) > 1 {
			r.Statuses = r.Statuses[1:]
		}
		data("deployments", railwayNodes(railwayDeployment("new", status, r.Deployed), railwayDeployment("old", "REMOVED", time.Now().Add(-time.Hour))))
	case op == "EnvironmentInstances" && in.ProjectID == "p":
		none := map[string]any{"edges": []any{}, "pageInfo": map[string]any{"hasNextPage": false, "endCursor": nil}}
		web := map[string]any{"id": "i", "serviceId": "web-id", "serviceName": "web", "environmentId": in.EnvironmentID, "numReplicas": 1,
			"latestDeployment": railwayDeployment("new", "SUCCESS", r.Deployed), "activeDeployments": []any{}, "source": nil,
			"domains":      map[string]any{"serviceDomains": []any{}, "customDomains": []any{}},
			"cronSchedule": nil, "nextCronRunAt": nil, "startCommand": nil, "tracingEnabled": false, "autoInstrumentationEnabled": false}
		instances := railwayNodes(web)
		instances["pageInfo"] = none["pageInfo"]
		data("environment", map[string]any{"id": in.EnvironmentID, "name": "e", "serviceInstances": instances, "volumeInstances": none})
	case op == "DeploymentRedeploy" && in.ID == "new":
		r.Again++
		r.Deployed = time.Now()
		data("deploymentRedeploy", map[string]any{"id": "new"})
	default:
		if op != "DeploymentStatus" && op != "DeploymentLogs" { // of the log, which nothing rests on
			r.Wrong = append(r.Wrong, op)
		}
		refuse(op + " not found")
	}
}

func railwayNodes(nodes ...map[string]any) map[string]any {
	edges := []any{}
	for _, n := range nodes {
		edges = append(edges, map[string]any{"node": n})
	}
	return map[string]any{"edges": edges}
}

func railwayProject() map[string]any {
	environment := func(name string, open bool) map[string]any {
		return map[string]any{"id": name + "-id", "name": name, "canAccess": open, "deletedAt": nil, "unmergedChangesCount": 0}
	}
	return map[string]any{
		"id": "p", "name": "shop", "workspaceId": "w", "deletedAt": nil, "workspace": map[string]any{"name": "acme"}, "buckets": railwayNodes(),
		"environments": railwayNodes(environment("production", true), environment("staging", true), environment("vault", false)),
		"services":     railwayNodes(map[string]any{"id": "web-id", "name": "web"}, map[string]any{"id": "worker-id", "name": "worker"}),
	}
}

func railwayDeployment(id, status string, at time.Time) map[string]any {
	return map[string]any{"id": id, "status": status, "createdAt": at.UTC().Format(time.RFC3339Nano), "meta": map[string]any{},
		"canRedeploy": true, "deploymentStopped": false, "instances": []any{}}
}
