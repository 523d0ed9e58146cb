package checklist

import (
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
)

// The same finding in many places is one entry of the report.
func TestTheReportHasOneEntryForManyPlaces(t *testing.T) {
	t.Parallel()
	var r Report
	var all []finding.Finding
	for _, line := range []int{14, 61, 62, 63, 98} {
		all = append(all, finding.New(finding.ValueInlineComment, "").At(".env", line))
	}
	r.AddFindings(all)
	for name, text := range map[string]string{"Markdown": r.Markdown(), "text": r.Text()} {
		if strings.Count(text, "value-inline-comment") != 1 || !strings.Contains(text, ".env:14, 61-63, 98") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}
