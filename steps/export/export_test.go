package export

import (
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
)

func sample() []finding.Finding {
	return []finding.Finding{
		finding.New("ci-missing-key", "").At(".github/workflows/a b.yml", 7),
		finding.New("jwt-key-missing", "").At("backend/.env", 0),
		finding.New("server-unreachable", ""),
		finding.New("jwt-key-too-short", "").At("backend/.env", 3),
		finding.New("place-not-found", "").At("heroku:shop", 0),
		finding.New("jwt-key-missing", "").At("backend/.env", 0),
	}
}

func TestOrderIsStableAndEachComesOnce(t *testing.T) {
	want := Sort(sample())
	if len(want) != 5 || want[len(want)-1].Code != "ci-missing-key" {
		t.Fatalf("%d findings, the last one %s", len(want), want[len(want)-1].Code)
	}
	turned := sample()
	slices.Reverse(turned)
	if !slices.Equal(Sort(turned), want) {
		t.Error("another order in gives another order out")
	}
}

func TestAnnotationsCannotBeBrokenOutOf(t *testing.T) {
	f := finding.New("ci-missing-key", "a\r\n::set-env name=PATH::x 100%").At("x,title=evil::y\n::error::z", 2)
	out := GitHub([]finding.Finding{f}, "manage.py")
	if strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "::warning file=manage.py,line=1,title=ci-missing-key::a%0D%0A::set-env name=PATH::x 100%25 ") {
		t.Errorf("%q", out)
	}
	f.File = "x,title=evil\n"
	if out := GitHub([]finding.Finding{f}, "manage.py"); !strings.HasPrefix(out, "::warning file=x%2Ctitle=evil%0A,line=2,title=") || strings.Count(out, "\n") != 1 {
		t.Errorf("%q", out)
	}
	if got := GitHub(sample(), "manage.py"); strings.Count(got, "::error ") != 4 || strings.Count(got, "::warning ") != 1 || !strings.Contains(got, "file=backend/.env,line=3") {
		t.Errorf("%s", got)
	}
}

func TestJUnitCountsAndReadsBack(t *testing.T) {
	out, err := JUnit("keysplit check", Cases(sample()))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out, &back); err != nil {
		t.Fatal(err)
	}
	s := back.Suites[0]
	if s.Tests != 5 || s.Failures != 4 || len(s.Cases) != 5 || s.Cases[4].Failure != nil || s.Cases[0].Failure == nil {
		t.Errorf("%s", out)
	}
	if clean := Cases(nil); len(clean) != 1 || clean[0].Failure != "" {
		t.Errorf("a clean look: %+v", clean)
	}
	if _, err := JUnit("x", nil); err == nil {
		t.Error("an empty report passed")
	}
	bad, err := JUnit("x", []Case{{Name: "<]]>&\"\x00\x1b", Failure: "a\nb"}})
	if err != nil || xml.Unmarshal(bad, &back) != nil {
		t.Errorf("%s, %v", bad, err)
	}
}

func TestSARIFHasWhatCodeScanningWants(t *testing.T) {
	out, err := SARIF(sample(), "v1", "manage.py")
	if err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(out, &log); err != nil {
		t.Fatal(err)
	}
	rules := log.Runs[0].Tool.Driver.Rules
	if log.Version != "2.1.0" || len(rules) != len(finding.Codes()) || len(log.Runs[0].Results) != 5 {
		t.Errorf("version %s, %d rules, %d results", log.Version, len(rules), len(log.Runs[0].Results))
	}
	for _, rule := range rules {
		if rule.ID == "" || rule.Short.Text == "" || rule.Full.Text == "" || rule.Help.Text == "" || !slices.Contains([]string{"error", "warning", "note"}, rule.Configuration.Level) {
			t.Errorf("rule %+v", rule)
		}
	}
	for _, r := range log.Runs[0].Results {
		at := r.Locations[0].Physical
		if rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" || at.Region.StartLine < 1 || at.Artifact.Base != "%SRCROOT%" ||
			strings.ContainsAny(at.Artifact.URI, " :") || strings.HasPrefix(at.Artifact.URI, "/") || len(r.Fingerprints) != 1 {
			t.Errorf("result %+v", r)
		}
	}
	empty, err := SARIF(nil, "v1", "manage.py")
	if err != nil || !strings.Contains(string(empty), `"results": []`) {
		t.Errorf("an empty run: %s, %v", empty, err)
	}
	if _, err := SARIF([]finding.Finding{{Code: "no-such-code"}}, "v1", "x"); err == nil {
		t.Error("a finding without a rule passed")
	}
}
