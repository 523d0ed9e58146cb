package tool

import (
	"fmt"
	"regexp"

	"dj/keysplit/steps"
	"dj/keysplit/steps/child"
)

// particular are messages that the general signs would take for something else, or
// that have a fix of their own. They are looked for first. A \s+ stands for a
// space, since some programs wrap their lines.
var particular = []struct {
	code steps.Code
	sign *regexp.Regexp
	said string // "" for the usual words
	fix  string // "" for the usual fix
}{
	// aws
	{"tool-not-logged-in", regexp.MustCompile(`(?i)SSO\s+token|SSO\s+session|retrieving\s+token\s+from\s+sso`), "",
		"Run: aws sso login, with the --profile that you use, and then keysplit again."},
	{"tool-not-logged-in", regexp.MustCompile(`(?i)security\s+token\s+included\s+in\s+the\s+request\s+is|UnrecognizedClientException|InvalidClientTokenId|SignatureDoesNotMatch`),
		"AWS does not take these access keys: they are wrong, or have expired.",
		"Run: aws sso login, or aws configure, or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for keys that expire, AWS_SESSION_TOKEN anew. Then run keysplit again."},
	{"tool-not-logged-in", regexp.MustCompile(`(?i)config\s+profile\s+\(.*?\)\s+could\s+not\s+be\s+found`), "there is no such AWS profile.",
		"Compare AWS_PROFILE with: aws configure list-profiles"},
	{"place-not-found", regexp.MustCompile(`(?i)must\s+specify\s+a\s+region`), "it was not told which AWS region the secret is in.",
		"Set AWS_REGION, e.g. AWS_REGION=eu-west-1, or run: aws configure. Then run keysplit again."},
	// kubectl. Its way to the login of EKS and GKE is a program of theirs.
	{"tool-missing", regexp.MustCompile(`(?i)getting\s+credentials:\s+exec:\s+executable\s+\S+\s+not\s+found`), "the program that logs it in to your cluster is not installed.",
		"The kubeconfig names it under users, exec, command: aws for EKS, gke-gcloud-auth-plugin for GKE, kubelogin for AKS. Install it, then run keysplit again."},
	{"tool-not-logged-in", regexp.MustCompile(`(?i)getting\s+credentials:\s+exec|print\s+credential\s+failed`), "",
		"Log in where the cluster is: aws sso login for EKS, gcloud auth login for GKE, az login for AKS. Then run keysplit again."},
	{"place-not-found", regexp.MustCompile(`(?i)current-context\s+(is\s+not\s+set|must\s+exist)|connection\s+to\s+the\s+server\s+localhost:8080\s+was\s+refused|no\s+configuration\s+has\s+been\s+provided`),
		"it is not told which cluster to use.",
		"See kubectl config get-contexts, choose one with kubectl config use-context NAME, or set KUBECONFIG. Then run keysplit again."},
	// docker
	{"place-unreachable", regexp.MustCompile(`(?i)cannot\s+connect\s+to\s+the\s+docker\s+daemon|error\s+during\s+connect`), "Docker does not run, or not where it was looked for.",
		"Start it (Docker Desktop, or: sudo systemctl start docker), or look at DOCKER_HOST. Then run keysplit again."},
	{"access-denied", regexp.MustCompile(`(?i)permission\s+denied\s+while\s+trying\s+to\s+connect\s+to\s+the\s+docker`), "your user may not use Docker.",
		"Have your user added to the group docker and log in again, or run keysplit as a user who may."},
	// gh
	{"place-unreachable", regexp.MustCompile(`(?i)rate\s+limit|too\s+many\s+requests|\b429\b`), "it was asked too often in a short time, and has to wait.",
		"Run keysplit again in a while: an hour at most."},
	{"place-unreachable", regexp.MustCompile(`(?i)error\s+connecting\s+to\s+\S+`), "", ""},
	// fly
	{"tool-not-logged-in", regexp.MustCompile(`(?i)must\s+be\s+authenticated`), "", ""},
	// vault
	{"place-unreachable", regexp.MustCompile(`(?i)server\s+gave\s+HTTP\s+response\s+to\s+HTTPS\s+client`), "this Vault speaks http and not https.",
		"Set VAULT_ADDR to its address with http://, if it really runs without TLS. Then run keysplit again."},
}

// particularly makes the finding of a message that is known by itself.
func (t Program) particularly(spec string, res child.Result) (steps.Finding, bool) {
	for _, p := range particular {
		if !p.sign.Match(res.Stderr) && !p.sign.Match(res.Stdout) {
			continue
		}
		said := p.said
		if said == "" {
			said = Said[p.code]
		}
		f := steps.NewFinding(p.code, fmt.Sprintf("%s: %s", t.Name, said)).At(spec, 0)
		switch {
		case p.fix != "":
			f = f.WithFix(p.fix)
		case p.code == "tool-not-logged-in":
			f = f.WithFix("Run: " + t.Login + " and then keysplit again.")
		}
		return f, true
	}
	return steps.Finding{}, false
}
