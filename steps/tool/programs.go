package tool

// The programs that both deliver a key and restart what reads it.
var (
	Kubectl = Program{Name: "kubectl", Install: "See https://kubernetes.io/docs/tasks/tools.", Login: "the login of your cluster (a new token, or a refreshed kubeconfig)"}
	Heroku  = Program{Name: "heroku", Install: "See https://devcenter.heroku.com/articles/heroku-cli.", Login: "heroku login"}
	Fly     = Program{Name: "fly", Install: "See https://fly.io/docs/flyctl/install.", Login: "fly auth login"}
	Railway = Program{Name: "railway", Install: "See https://docs.railway.com/guides/cli.", Login: "railway login"}
)
