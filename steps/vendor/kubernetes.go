package vendor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/shell"
	"dj/keysplit/steps/tool"
)

// kubernetes keeps the key in a Secret, through kubectl and its current context.
//
// It is a merge patch with the Secret's resourceVersion in it: the other keys
// stay, and a change by someone else in between is a conflict. Not apply, which
// copies the value into an annotation or drops it with the next apply by others;
// not replace, which drops the other keys.
type kubernetes struct {
	namespace string // "" for the context's own
	name      string
	key       string
}

var (
	kubernetesName = lazyregexp.New(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	kubernetesKey  = lazyregexp.New(`^[A-Za-z0-9._-]+$`)
)

var kubectl = tool.Program{
	Name: "kubectl", Install: "See https://kubernetes.io/docs/tasks/tools.",
	Login: finding.Do("the login of your cluster (a new token, or a refreshed kubeconfig)"),
	// Its way to the login of EKS and GKE is a program of theirs.
	Messages: slices.Concat(awsMessages, []tool.Message{
		{Code: finding.ToolMissing, Sign: lazyregexp.New(`(?i)getting credentials: exec: executable \S+ not found`), Said: "the program that logs it in to your cluster is not installed.",
			Fix: finding.Do("The kubeconfig names it under users, exec, command: aws for EKS, gke-gcloud-auth-plugin for GKE, kubelogin for AKS. Install it, then run `keysplit` again.")},
		{Code: finding.ToolNotLoggedIn, Sign: lazyregexp.New(`(?i)getting credentials: exec|print credential failed`),
			Fix: finding.Do("Log in where the cluster is: `aws sso login` for EKS, `gcloud auth login` for GKE, `az login` for AKS. Then run `keysplit` again.")},
		{Code: finding.PlaceNotFound, Sign: lazyregexp.New(`(?i)current-context (is not set|must exist)|connection to the server localhost:8080 was refused|no configuration has been provided`), Said: "it is not told which cluster to use.",
			Fix: finding.Do("See `kubectl config get-contexts`, choose one with `kubectl config use-context NAME`, then run `keysplit` again. Or set KUBECONFIG, and start `keysplit` again.")},
	}),
}

func parseKubernetes(argument string) (Store, error) {
	place, key, named := strings.Cut(argument, "#")
	if !named {
		key = steps.SecretEntry
	}
	namespace, name, found := strings.Cut(place, "/")
	if !found {
		namespace, name = "", place
	}
	if !kubernetesName.MatchString(name) || found && !kubernetesName.MatchString(namespace) || !kubernetesKey.MatchString(key) {
		return nil, errors.New("it needs the name of a Secret")
	}
	return &kubernetes{namespace, name, key}, readsDevStdin("kubectl", runtime.GOOS)
}

func (k *kubernetes) String() string {
	if k.namespace == "" {
		return "kubernetes:" + k.name + "#" + k.key
	}
	return "kubernetes:" + k.namespace + "/" + k.name + "#" + k.key
}

func (k *kubernetes) tool() tool.Program {
	return kubectl
}

func (k *kubernetes) Manner() Manner {
	return Manner{
		Method:  "kubectl patch with a merge patch on standard input; the other keys of the Secret stay, and a change by someone else in between is refused",
		Undo:    prose.Say("`keysplit rollback` patches the earlier value back, or removes the key"),
		Effects: []prose.Text{prose.Say("Pods read a Secret when they start. Until all have been restarted, a container that crashes comes back with the new key, so that old and new can mix.")},
	}
}

func (k *kubernetes) args(args ...string) []string {
	if k.namespace != "" {
		args = append(args, "--namespace", k.namespace)
	}
	return args
}

// kubernetesSecret is the part of a Secret that counts.
type kubernetesSecret struct {
	Metadata struct {
		Namespace       string
		ResourceVersion string
		Labels          map[string]string
		Annotations     map[string]string
		OwnerReferences []struct{ Kind, Name string }
	}
	Immutable bool
	Data      map[string][]byte // base64 in JSON
}

func (k *kubernetes) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Secret " + k.name + ", key " + k.key, Readable: true}
	out, err := k.tool().Call(ctx, run, k.String(), nil, k.args("get", "secret", k.name, "--output", "json")...)
	if err != nil {
		return held, missing(err, finding.Do("The context is that of `kubectl config current-context`. To make an empty Secret first: %s", finding.Shell(k.args("kubectl", "create", "secret", "generic", k.name)...)))
	}
	var s kubernetesSecret
	if json.Unmarshal(out, &s) != nil {
		return held, errors.New("the answer of kubectl cannot be read")
	}
	held.Where += ", namespace " + secret.Inert(s.Metadata.Namespace) + k.context(ctx, run)
	held.Version = s.Metadata.ResourceVersion
	if v, ok := s.Data[k.key]; ok {
		held.There, held.Key = true, run.Secret(string(v))
	}
	_, until := steps.GraceNames(k.key)
	for name, v := range s.Data {
		if name != until {
			run.Redactor.Add(run.Prints.Secret(string(v)))
		}
		holdPair(run, &held, k.key, name, string(v))
		if isSecretKey(run, name) && name != k.key {
			held.SecretKey = run.Secret(string(v))
		}
	}
	if s.Immutable {
		held.Findings = append(held.Findings, finding.New(finding.PlaceImmutable, "").At(k.String(), 0))
	}
	if owner := managedBy(s); owner != "" {
		held.Findings = append(held.Findings, finding.New(finding.PlaceManaged, "Secret "+k.name+" belongs to "+owner+", which will overwrite it.").At(k.String(), 0))
	}
	return held, nil
}

// context names the cluster, in the words of the kubeconfig; "" when kubectl does
// not tell.
func (k *kubernetes) context(ctx context.Context, run *steps.Run) string {
	out, _ := k.tool().Call(ctx, run, k.String(), nil, "config", "view", "--minify", "--output", "json")
	var c struct {
		Current  string `json:"current-context"`
		Clusters []struct{ Cluster struct{ Server string } }
	}
	if json.Unmarshal(out, &c) != nil || len(c.Clusters) == 0 {
		return ""
	}
	return fmt.Sprintf(", context %s (%s)", secret.Inert(c.Current), secret.Inert(c.Clusters[0].Cluster.Server))
}

// managedBy names what keeps the Secret as its own source says, "" for nothing.
func managedBy(s kubernetesSecret) string {
	for _, o := range s.Metadata.OwnerReferences {
		return secret.Inert(o.Kind + " " + o.Name)
	}
	switch {
	case s.Metadata.Labels["app.kubernetes.io/managed-by"] == "Helm" || s.Metadata.Annotations["meta.helm.sh/release-name"] != "":
		return "a Helm release"
	case s.Metadata.Annotations["argocd.argoproj.io/tracking-id"] != "" || s.Metadata.Labels["argocd.argoproj.io/instance"] != "":
		return "Argo CD"
	}
	return ""
}

func (k *kubernetes) Put(ctx context.Context, run *steps.Run, key secret.Secret, h steps.Held) (string, error) {
	return "", k.patch(ctx, run, map[string]string{k.key: key.Reveal()}, h)
}

// PutPair patches all three entries at once.
func (k *kubernetes) PutPair(ctx context.Context, run *steps.Run, v Values, h steps.Held) (string, error) {
	return "", k.patch(ctx, run, v.text(k.key), h)
}

func (k *kubernetes) Restore(ctx context.Context, run *steps.Run, _ journal.Delivery, old secret.Secret, h steps.Held) error {
	value := ""
	if old.Set() {
		value = old.Reveal()
	}
	return k.patch(ctx, run, map[string]string{k.key: value}, h)
}

// patch sets entries, or removes one that is "" with a null.
func (k *kubernetes) patch(ctx context.Context, run *steps.Run, values map[string]string, h steps.Held) error {
	if finding.Has(h.Findings, finding.PlaceImmutable) {
		return steps.Fail(finding.New(finding.PlaceImmutable, "").At(k.String(), 0))
	}
	data := map[string]any{}
	for name, value := range values {
		if data[name] = nil; value != "" {
			data[name] = []byte(value) // base64 in JSON
		}
	}
	patch, _ := json.Marshal(map[string]any{"metadata": map[string]string{"resourceVersion": h.Version}, "data": data}) // texts always have a form
	_, err := k.tool().Call(ctx, run, k.String(), patch, k.args("patch", "secret", k.name, "--type", "merge", "--patch-file", "/dev/stdin", "--output", "name")...)
	return err
}

// ByHand is the command of the place's own program.
func (k *kubernetes) ByHand(x Extra) []string {
	second, until := steps.GraceNames(k.key)
	patch := fmt.Sprintf(`{"data":{"%s":"%%s"},"stringData":{"%s":"%s"}}`, second, until, x.Plain)
	return []string{
		// printf is a part of the shell: what it is given is on no command line.
		fmt.Sprintf("    printf '%s' \"$(base64 < %s | tr -d '\\n')\" | %s", patch, shell.Join(x.File),
			shell.Join(k.args("kubectl", "patch", "secret", k.name, "--type", "merge", "--patch-file", "/dev/stdin")...)),
		fmt.Sprintf("    and give the containers both, as %s and %s, where they get %s from this Secret", x.SecretName, x.PlainName, k.key),
	}
}

// RestartHint names what restarts its pods.
func (k *kubernetes) RestartHint() string {
	return "To restart its pods, name them as the way to restart: kubernetes:[NAMESPACE/]DEPLOYMENT[,DEPLOYMENT]"
}
