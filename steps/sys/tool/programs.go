package tool

import "time"

// The programs that both deliver a key and restart what reads it.
var (
	Kubectl = Program{Name: "kubectl", Install: "See https://kubernetes.io/docs/tasks/tools.", Login: "the login of your cluster (a new token, or a refreshed kubeconfig)"}
	Heroku  = Program{Name: "heroku", Install: "See https://devcenter.heroku.com/articles/heroku-cli.", Login: "heroku login"}
	Fly     = Program{Name: "fly", Install: "See https://fly.io/docs/flyctl/install.", Login: "fly auth login"}
	Railway = Program{Name: "railway", Install: "See https://docs.railway.com/guides/cli.", Login: "railway login"}
)

// FlyDeploys is fly for a call that brings the secrets to the machines: it goes
// from one to the next, 10 seconds or more each, and up to 5 minutes for the checks
// of one. Cut short, it leaves half of them as they were, and locked.
var FlyDeploys = Program{Name: Fly.Name, Install: Fly.Install, Login: Fly.Login, Patience: 15 * time.Minute}
