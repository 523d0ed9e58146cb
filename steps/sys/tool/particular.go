package tool

import (
	"fmt"
	"regexp"

	"dj/keysplit/steps/finding"
)

// particular are messages that the general signs would take for something else, or
// that have a fix of their own. They are looked for first, in one line.
var particular = []struct {
	code finding.Code
	sign *regexp.Regexp
	said string // "" for the usual words
	fix  string // "" for the usual fix
}{
	// aws
	{"tool-not-logged-in", regexp.MustCompile(`(?i)SSO token|SSO session|retrieving token from sso`), "",
		"Run: aws sso login, with the --profile that you use, and then keysplit again."},
	{"tool-not-logged-in", regexp.MustCompile(`(?i)security token included in the request is|UnrecognizedClientException|InvalidClientTokenId|SignatureDoesNotMatch`),
		"AWS does not take these access keys: they are wrong, or have expired.",
		"Run: aws sso login, or aws configure, or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for keys that expire, AWS_SESSION_TOKEN anew. Then run keysplit again."},
	{"tool-not-logged-in", regexp.MustCompile(`(?i)config profile \(.*?\) could not be found`), "there is no such AWS profile.",
		"Compare AWS_PROFILE with: aws configure list-profiles"},
	{"place-not-found", regexp.MustCompile(`(?i)must specify a region`), "it was not told which AWS region the secret is in.",
		"Set AWS_REGION, e.g. AWS_REGION=eu-west-1, or run: aws configure. Then run keysplit again."},
	// kubectl. Its way to the login of EKS and GKE is a program of theirs.
	{"tool-missing", regexp.MustCompile(`(?i)getting credentials: exec: executable \S+ not found`), "the program that logs it in to your cluster is not installed.",
		"The kubeconfig names it under users, exec, command: aws for EKS, gke-gcloud-auth-plugin for GKE, kubelogin for AKS. Install it, then run keysplit again."},
	{"tool-not-logged-in", regexp.MustCompile(`(?i)getting credentials: exec|print credential failed`), "",
		"Log in where the cluster is: aws sso login for EKS, gcloud auth login for GKE, az login for AKS. Then run keysplit again."},
	{"place-not-found", regexp.MustCompile(`(?i)current-context (is not set|must exist)|connection to the server localhost:8080 was refused|no configuration has been provided`),
		"it is not told which cluster to use.",
		"See kubectl config get-contexts, choose one with kubectl config use-context NAME, or set KUBECONFIG. Then run keysplit again."},
	// docker
	{"place-unreachable", regexp.MustCompile(`(?i)cannot connect to the docker daemon|error during connect`), "Docker does not run, or not where it was looked for.",
		"Start it (Docker Desktop, or: sudo systemctl start docker), or look at DOCKER_HOST. Then run keysplit again."},
	{"access-denied", regexp.MustCompile(`(?i)permission denied while trying to connect to the docker`), "your user may not use Docker.",
		"Have your user added to the group docker and log in again, or run keysplit as a user who may."},
	// gh
	{"place-unreachable", regexp.MustCompile(`(?i)rate limit|too many requests|\b429\b`), "it was asked too often in a short time, and has to wait.",
		"Run keysplit again in a while: an hour at most."},
	{"place-unreachable", regexp.MustCompile(`(?i)error connecting to \S+`), "", ""},
	// fly
	{"tool-not-logged-in", regexp.MustCompile(`(?i)must be authenticated`), "", ""},
	// vault
	{"place-unreachable", regexp.MustCompile(`(?i)server gave HTTP response to HTTPS client`), "this Vault speaks http and not https.",
		"Set VAULT_ADDR to its address with http://, if it really runs without TLS. Then run keysplit again."},
}

// particularly makes the finding of a message that is known by itself.
func (t Program) particularly(spec string, stderr, stdout []byte) (finding.Finding, bool) {
	for _, p := range particular {
		if !p.sign.Match(stderr) && !p.sign.Match(stdout) {
			continue
		}
		said := p.said
		if said == "" {
			said = Said[p.code]
		}
		f := finding.New(p.code, fmt.Sprintf("%s: %s", t.Name, said)).At(spec, 0)
		switch {
		case p.fix != "":
			f = f.WithFix(p.fix)
		case p.code == "tool-not-logged-in":
			f = f.WithFix("Run: " + t.Login + " and then keysplit again.")
		}
		return f, true
	}
	return finding.Finding{}, false
}
