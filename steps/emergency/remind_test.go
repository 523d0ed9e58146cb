package emergency

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// An emergency is told of until the code reads its own key again: a warning within its
// 24 hours, an error after them.
func TestRemind(t *testing.T) {
	t.Parallel()
	j := stepstest.NewRun(t, "", nil).Journal
	now := time.Now()
	if f, told := Remind(j, nil, false, now); told {
		t.Errorf("none was recorded: %+v", f)
	}
	until := now.Add(24 * time.Hour)
	if err := j.StartEmergency(until); err != nil {
		t.Fatal(err)
	}
	before := []finding.Finding{finding.New(finding.SettingsNotUpgraded, "")}
	for name, c := range map[string]struct {
		found    []finding.Finding
		ready    bool
		at       time.Time
		severity finding.Severity // of what is told, "" for nothing
		says     string
	}{
		"within its time":       {before, true, until.Add(-time.Second), finding.Warning, "is still in force"},
		"after it":              {before, true, until.Add(time.Second), finding.Error, "had to end by"},
		"other errors are left": {nil, false, now, finding.Warning, "is still in force"},
		"it is fixed":           {nil, true, until.Add(time.Hour), "", ""},
	} {
		f, told := Remind(j, c.found, c.ready, c.at)
		if told != (c.severity != "") || f.Severity != c.severity || !strings.Contains(f.Message.Rendered(), c.says) {
			t.Errorf("%s: %t, %s, %s", name, told, f.Severity, f.Message.Rendered())
		}
	}
}
