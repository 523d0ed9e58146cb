package finding

import (
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps/prose"
)

// Group is what a person reads as one thing: findings that say the same of several places.
type Group struct {
	Finding           // the first; of several that say it of names of their own, with the catalogue's sentence
	All     []Finding // in the order of their places
}

// Groups puts findings together that say the same, in the order in which they matter: what
// stops everything else, what is wrong and keysplit does not fix, what it fixes, then
// warnings and the rest.
func Groups(fs []Finding) (out []Group) {
	for _, f := range fs {
		at := slices.IndexFunc(out, func(g Group) bool { return g.holds(f) })
		if at < 0 {
			out = append(out, Group{f, []Finding{f}})
			continue
		}
		g := &out[at]
		g.All = append(g.All, f)
		if g.Message != f.Message {
			if g.Message = f.usual; f.usual.Empty() {
				g.Message = prose.Of(catalogue()[f.Code].Message)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Group) int { return a.rank() - b.rank() })
	return out
}

// holds reports whether a finding says the same as the group, and has the same fix.
// Sentences of their own are kept, but where all that differs is the name in them.
func (g Group) holds(f Finding) bool {
	page := catalogue()[f.Code]
	return g.Code == f.Code && g.Severity == f.Severity && g.FixedBySteps() == f.FixedBySteps() && g.File != "" && f.File != "" && f.Ask.Empty() &&
		g.Fix == f.Fix && (page.Edit || g.Message == f.Message)
}

func (g Group) rank() int {
	switch {
	case g.Code == DjangoNotRunnable || g.Code == ProjectNotFound:
		return 0
	case g.Severity == Error && !g.FixedBySteps():
		return 1
	case g.Severity == Error:
		return 2
	case g.Severity == Warning:
		return 3
	}
	return 4
}

// Places are the files and lines of a group: ".env:14, 61-63, 98".
func (g Group) Places() string {
	var files []string
	lines := map[string][]int{}
	for _, f := range g.All {
		if f.File == "" {
			continue
		}
		if !slices.Contains(files, f.File) {
			files = append(files, f.File)
		}
		if f.Line > 0 {
			lines[f.File] = append(lines[f.File], f.Line)
		}
	}
	var out []string
	for _, file := range files {
		nums := lines[file]
		slices.Sort(nums)
		nums = slices.Compact(nums)
		var ranges []string
		for i := 0; i < len(nums); {
			j := i
			for j+1 < len(nums) && nums[j+1] == nums[j]+1 {
				j++
			}
			if one := fmt.Sprint(nums[i]); i == j {
				ranges = append(ranges, one)
			} else {
				ranges = append(ranges, fmt.Sprintf("%d-%d", nums[i], nums[j]))
			}
			i = j + 1
		}
		if len(ranges) > 0 {
			file += ":" + strings.Join(ranges, ", ")
		}
		out = append(out, file)
	}
	return strings.Join(out, ", ")
}

// Standing is how a project stands, by its findings: the first and the last line of a look.
// starts reports whether the backend starts as it is. It is empty where nothing is wrong.
func Standing(fs []Finding, starts bool) string {
	things, fixed := 0, 0
	for _, g := range Groups(fs) {
		if g.Severity != Error {
			continue
		}
		things++
		if g.FixedBySteps() {
			fixed++
		}
	}
	if things == 0 {
		return ""
	}
	said := fmt.Sprintf("%d things are wrong", things)
	switch {
	case things == 1 && starts:
		said = "1 thing is wrong"
	case things == 1:
		said = "1 thing stops the backend"
	case !starts:
		said = fmt.Sprintf("%d things stop the backend", things)
	}
	switch {
	case fixed == 0:
	case fixed == things && things == 1:
		said += ". keysplit fixes it"
	case fixed == things:
		said += ". keysplit fixes all of them"
	default:
		said += fmt.Sprintf(". keysplit fixes %d of them", fixed)
	}
	return "Not ready: " + said + "."
}
