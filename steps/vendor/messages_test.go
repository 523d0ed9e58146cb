package vendor

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/tool"
)

// What the real programs print, and what is made of it: the code, and a word of
// the fix.
func TestRealMessages(t *testing.T) {
	for _, c := range []struct {
		program tool.Program
		says    string
		code    finding.Code
		fix     string
	}{
		{awsProgram, "\nError loading SSO Token: Token for work does not exist\n", "tool-not-logged-in", "aws sso login"},
		{awsProgram, "\nThe SSO session associated with this profile has expired or is otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile.\n", "tool-not-logged-in", "aws sso login"},
		{awsProgram, "\nError when retrieving token from sso: Token has expired and refresh failed\n", "tool-not-logged-in", "aws sso login"},
		{awsProgram, "\nThe config profile (nope) could not be found\n", "tool-not-logged-in", "list-profiles"},
		{awsProgram, "\nYou must specify a region. You can also configure your region by running \"aws configure\".\n", "place-not-found", "AWS_REGION"},
		{awsProgram, "\nUnable to locate credentials. You can configure credentials by running \"aws configure\".\n", "tool-not-logged-in", "aws configure"},
		{awsProgram, "\nAn error occurred (UnrecognizedClientException) when calling the GetSecretValue operation: The security token included in the request is invalid.\n", "tool-not-logged-in", "AWS_ACCESS_KEY_ID"},
		{awsProgram, "\nAn error occurred (ExpiredTokenException) when calling the GetSecretValue operation: The security token included in the request is expired\n", "tool-not-logged-in", "AWS_SESSION_TOKEN"},
		{awsProgram, "\nAn error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: arn:aws:iam::1:user/ada is not authorized to perform: secretsmanager:GetSecretValue\n", "access-denied", "permission"},
		{awsProgram, "\nAn error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.\n", "place-not-found", ""},
		{awsProgram, "\nCould not connect to the endpoint URL: \"https://secretsmanager.eu-nowhere-1.amazonaws.com/\"\n", "place-unreachable", "VPN"},

		{kubectl, "E1125 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: getting credentials: exec: executable aws failed with exit code 255\"\nUnable to connect to the server: getting credentials: exec: executable aws failed with exit code 255\n", "tool-not-logged-in", "aws sso login for EKS"},
		{kubectl, "Unable to connect to the server: getting credentials: exec: executable gke-gcloud-auth-plugin failed with exit code 1\n", "tool-not-logged-in", "gcloud auth login"},
		{kubectl, "Unable to connect to the server: getting credentials: exec: executable gke-gcloud-auth-plugin not found\n\nIt looks like you are trying to use a client-go credential plugin that is not installed.\n", "tool-missing", "Install it"},
		{kubectl, "error: current-context is not set\n", "place-not-found", "use-context"},
		{kubectl, "error: current-context must exist in order to minify\n", "place-not-found", "use-context"},
		{kubectl, "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n", "place-not-found", "KUBECONFIG"},
		{kubectl, "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?\n", "place-unreachable", "VPN"},
		{kubectl, "error: You must be logged in to the server (Unauthorized)\n", "tool-not-logged-in", "login of your cluster"},
		{kubectl, "Error from server (Forbidden): secrets \"x\" is forbidden: User \"ada\" cannot get resource \"secrets\" in API group \"\" in the namespace \"shop\"\n", "access-denied", ""},
		{kubectl, "Error from server (NotFound): secrets \"x\" not found\n", "place-not-found", ""},
		{kubectl, "Error from server (Conflict): Operation cannot be fulfilled on secrets \"x\": the object has been modified; please apply your changes to the latest version and try again\n", "place-conflict", "again"},

		{docker(""), "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n", "place-unreachable", "systemctl start docker"},
		{docker(""), "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock\n", "access-denied", "group docker"},
		{docker(""), "error while interpolating services.web.environment.JWT_SECRET_KEY: required variable JWT_SECRET_KEY is missing a value: needed\n", "restart-failed", "beside the compose file"},
		{tool.Program{Name: "docker-compose", Messages: dockerMessages}, "Missing mandatory value for \"environment\" option interpolating {'JWT_SECRET_KEY': '${JWT_SECRET_KEY:?}'} in service \"web\": \n", "restart-failed", "beside the compose file"},

		{gh, "error connecting to api.github.com\ncheck your internet connection or https://githubstatus.com\n", "place-unreachable", "network"},
		{gh, "gh: API rate limit exceeded for user ID 1. (HTTP 403)\n", "place-unreachable", "an hour"},
		{gh, "HTTP 403: You have exceeded a secondary rate limit. Please wait a few minutes before you try again.\n", "place-unreachable", "an hour"},
		{gh, "HTTP 403: Resource not accessible by personal access token (https://api.github.com/repos/a/b/actions/secrets)\n", "access-denied", ""},
		{gh, "gh: Bad credentials (HTTP 401)\nTry authenticating with:  gh auth login\n", "tool-not-logged-in", "gh auth login"},
		{gh, "gh: Not Found (HTTP 404)\n", "place-not-found", ""},

		{flyProgram, "Error: failed retrieving current user: You must be authenticated to view this.\n", "tool-not-logged-in", "fly auth login"},
		{flyProgram, "Error: No access token available. Please login with 'flyctl auth login'\n", "tool-not-logged-in", "fly auth login"},
		{flyProgram, "Error: Could not find App \"nothing\"\n", "place-not-found", ""},

		{vaultProgram, "Error making API request.\n\nURL: GET http://127.0.0.1:8200/v1/kv/data/app\nCode: 403. Errors:\n\n* permission denied\n", "access-denied", ""},
		{vaultProgram, "Error making API request.\n\nCode: 503. Errors:\n\n* Vault is sealed\n", "place-unreachable", "unsealed"},
		{vaultProgram, "Error reading sys/internal/ui/mounts/kv: Get \"https://127.0.0.1:8200/v1/x\": http: server gave HTTP response to HTTPS client\n", "place-unreachable", "VAULT_ADDR"},
		{vaultProgram, "No value found at kv/data/app\n", "place-not-found", ""},
		{vaultProgram, "Error writing data to kv/data/app: * check-and-set parameter did not match the current version\n", "place-conflict", ""},

		{herokuProgram, " ›   Error: not logged in\n", "tool-not-logged-in", "heroku login"},
		{railwayProgram, "Unauthorized. Please login with `railway login`\n", "tool-not-logged-in", "railway login"},
		{railwayProgram, "Service 'nothing' not found\n", "place-not-found", ""},
	} {
		for name, res := range map[string]child.Result{"stderr": {Code: 1, Stderr: []byte(c.says)}, "stdout": {Code: 1, Stdout: []byte(c.says)}} {
			err := c.program.Explain("a:b", res)
			var failure *steps.Failure
			if !errors.As(err, &failure) || failure.Findings[0].Code != c.code || failure.Findings[0].File != "a:b" || !strings.Contains(failure.Findings[0].Fix.Rendered(), c.fix) {
				t.Errorf("%s, on %s: %q: %v, want %s and %q in the fix", c.program.Name, name, c.says, err, c.code, c.fix)
			}
		}
	}
}
