package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/write"
)

// complete tells the shells which values the flags take. What it does not name is
// completed as the name of a file.
func complete(root *cobra.Command) {
	values := map[string]cobra.CompletionFunc{
		"env":     configuredNames,
		"target":  fixed(kinds(write.Kinds()), cobra.ShellCompDirectiveNoSpace|noFiles),
		"restart": fixed(kinds(restart.Kinds()), cobra.ShellCompDirectiveNoSpace|noFiles),
		"theme":   fixed(themes, noFiles),
		"skip":    skippable,
		"project": fixed(nil, cobra.ShellCompDirectiveFilterDirs),
	}
	for _, free := range []string{"settings", "url", "username", "login", "protected", "refresh", "confirm", "timeout"} {
		values[free] = fixed(nil, noFiles)
	}
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		for flag, f := range values {
			// It refuses a flag that the command does not have, and one of the root's
			// that has its values.
			_ = c.RegisterFlagCompletionFunc(flag, f)
		}
	}
}

const noFiles = cobra.ShellCompDirectiveNoFileComp

func fixed(values []string, d cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return values, d }
}

// configuredNames are the environments of the configuration of the project that the flags name. A
// configuration that cannot be read completes nothing: the command itself says what
// is wrong.
func configuredNames(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	folder, _ := cmd.Flags().GetString("project")
	c, err := (&place{project: folder}).configuration()
	if err != nil {
		return nil, noFiles
	}
	names := c.Names()
	if !slices.Contains(names, steps.DefaultEnvironment) {
		names = append([]string{steps.DefaultEnvironment}, names...)
	}
	return names, noFiles
}

// kinds are the beginnings of forms such as "kubernetes:[NS/]SECRET", each with its
// form as the description. What is optional is left off.
func kinds(forms []string) (out []string) {
	for _, form := range forms {
		kind := form
		if at := strings.IndexAny(form, ":["); at >= 0 && form[at] == ':' {
			kind = form[:at+1]
		} else if at >= 0 {
			kind = form[:at]
		}
		out = append(out, cobra.CompletionWithDesc(kind, form))
	}
	return out
}

// skippable completes a list of steps: the names that are not in it yet.
func skippable(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	list := ""
	if at := strings.LastIndexByte(typed, ','); at >= 0 {
		list = typed[:at+1]
	}
	named := strings.Split(list, ",")
	var out []string
	for _, word := range steps.Words() {
		if !slices.Contains(named, word) {
			out = append(out, list+word)
		}
	}
	return out, cobra.ShellCompDirectiveNoSpace | noFiles
}
