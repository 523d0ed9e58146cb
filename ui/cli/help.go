package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/write"
	"dj/keysplit/ui/style"
)

// topic is a page of help that is about no single command: what it is about, a table
// of the code's own, and an example.
type topic struct {
	name, short string
	long        string // before the table
	table       [][2]string
	example     string
}

// topics are the pages behind keysplit help.
func topics() []topic {
	return []topic{
		{
			name: "targets", short: "Where the key is written: --target",
			long:  "A target is the place that the backend gets its key from. Each --target is one place; several are written in the order given. Every other value of a place stays as it is. Install the program of the vendor, and log in to it, before you run keysplit.",
			table: write.Table(),
			example: `keysplit upgrade --target dotenv:backend/.env
keysplit upgrade --env staging --target kubernetes:shop/backend#jwt-secret-key`,
		},
		{
			name: "restart", short: "How the backend is restarted: --restart",
			long:  "Settings are read once, when a process starts, so the backend has to be restarted to use the new key. A restart may take 5 minutes, or as long as --timeout if that is longer. Several platforms that restart by themselves are joined with commas. Pass workers that serve no HTTP to --also, in the forms of systemd, compose and kubernetes: keysplit restarts them after the backend, and checks that they are new.",
			table: restart.Table(),
			example: `keysplit upgrade --restart systemd:gunicorn,celery
keysplit upgrade --env staging --restart fly:shop-web,fly:shop-worker`,
		},
		{
			name: "environments", short: "keysplit.toml, and what --env selects",
			long:  "The configuration is " + config.File + " at the project's root, or [tool.keysplit] in pyproject.toml. It belongs in git and holds no secret. --env selects one of its environments; without it, that is " + steps.DefaultEnvironment + ". Flags override the file. Each environment is a table [environments.NAME] with these names:",
			table: config.EnvironmentTable,
			example: `[environments.staging]
targets = ["kubernetes:shop/backend#jwt-secret-key"]
restart = "kubernetes:shop/backend"
url = "https://staging.example.com"

keysplit check --env staging`,
		},
		{
			name: "ci", short: "keysplit in a pipeline",
			long:  "In a pipeline, keysplit check --committed checks what is in the repository: no .env is needed, none of the project's code runs, and warnings exit with 1 too. --format sarif, junit and github are for code scanning, test reports and annotations. Give KEYSPLIT_PASSWORD from the pipeline's secrets. The exit codes of every command are:",
			table: codeTable(),
			example: `keysplit check --committed --format github
keysplit check --committed --format sarif > keysplit.sarif
keysplit upgrade --env staging --yes --username probe`,
		},
		{
			name: "secrets", short: "How a key and a password get to keysplit, and where they never go",
			long: "No flag takes a key or a password as its value, since every user of the machine can read those. With both on standard input, the key is the first line and the password the second. keysplit shows fingerprints only, and passes values to programs on standard input.",
			table: [][2]string{
				{"--key-stdin", "a key of your own, from standard input"},
				{"--password-stdin", "the password of --username, from standard input"},
				{"KEYSPLIT_PASSWORD", "the same from the environment; no other program gets it"},
				{"(a terminal)", "keysplit asks, and shows nothing of what is typed"},
				{"--temp-user", "no password: a throwaway account, in development only"},
			},
			example: `pass show shop/jwt | keysplit upgrade --yes --key-stdin
keysplit upgrade --username probe --password-stdin < password.txt`,
		},
	}
}

func codeTable() (out [][2]string) {
	for _, e := range exitCodes {
		out = append(out, [2]string{strconv.Itoa(e.code), e.means})
	}
	return out
}

// print writes the page, no wider than a terminal of 80 columns.
func (t topic) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n", t.short, strings.Join(style.Wrap(t.long, width, false), "\n"))
	column := 0
	for _, row := range t.table {
		column = max(column, len(row[0])+2)
	}
	narrow := column > 24 // the names are long: what they mean goes below
	for _, row := range t.table {
		if narrow {
			fmt.Fprintf(&b, "  %s\n", row[0])
			b.WriteString(indent(strings.Join(style.Wrap(row[1], width-6, false), "\n"), "      ") + "\n")
			continue
		}
		lines := style.Wrap(row[1], width-2-column, false)
		fmt.Fprintf(&b, "  %-*s%s\n", column, row[0], strings.Join(lines, "\n"+strings.Repeat(" ", 2+column)))
	}
	fmt.Fprintf(&b, "\nExample\n%s\n", indent(t.example, "  "))
	_, err := io.WriteString(w, b.String())
	return err
}

// newHelp explains a command or a topic.
func newHelp(stdio IO) *cobra.Command {
	var list strings.Builder
	var names []string
	for _, t := range topics() {
		names = append(names, t.name)
		fmt.Fprintf(&list, "\n  %-14s%s", t.name, t.short)
	}
	return &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "Explain a command or a topic",
		Long:  "Explain a command or a topic. The topics:\n" + list.String(),
		Example: `  keysplit help upgrade
  keysplit help targets`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, noFiles
			}
			return append(commandNames(cmd.Root()), names...), noFiles
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, t := range topics() {
				if len(args) == 1 && args[0] == t.name {
					return t.print(stdio.Out)
				}
			}
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return steps.Usage("there is no help on %s%s", secret.Quote(strings.Join(args, " ")), didYouMean("", args[0], append(commandNames(cmd.Root()), names...)))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// commandNames are the commands that people use.
func commandNames(root *cobra.Command) (names []string) {
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}
