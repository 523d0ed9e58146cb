// Package export writes findings in the forms that other programs read: SARIF
// for code scanning, JUnit XML for test reports, and the workflow commands of
// GitHub Actions for annotations.
//
// All three are in a stable order (severity, file, line, code), name files
// relative to the top level with forward slashes, and hold no secret: findings
// hold none. Text that came from foreign files is inert already; here it is
// escaped so that it cannot end the value it stands in.
package export

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"dj/keysplit/steps/finding"
)

// Sort returns the findings in the order of severity, file, line, code and
// message, each once.
func Sort(fs []finding.Finding) []finding.Finding {
	rank := map[finding.Severity]int{finding.Error: 0, finding.Warning: 1, finding.Info: 2}
	out := slices.Clone(fs)
	slices.SortStableFunc(out, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message.Rendered(), b.Message.Rendered()))
	})
	return slices.Compact(out)
}

// path is the finding's file where it has one in the work tree, else the
// fallback: code scanning shows no result without a place. A target such as
// heroku:shop is no file.
func path(f finding.Finding, fallback string) (file string, line int) {
	if f.File == "" || strings.ContainsAny(f.File, ":\\") || strings.HasPrefix(f.File, "/") {
		return fallback, 1
	}
	return f.File, max(1, f.Line)
}

// GitHub writes one workflow command a finding: an error, warning or notice that
// GitHub shows at its line. Escapes are those of @actions/core, without which a
// file name with a line feed could run a command of its own:
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
func GitHub(fs []finding.Finding, fallback string) string {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	kinds := map[finding.Severity]string{finding.Error: "error", finding.Warning: "warning", finding.Info: "notice"}
	var b strings.Builder
	for _, f := range Sort(fs) {
		file, line := path(f, fallback)
		fmt.Fprintf(&b, "::%s file=%s,line=%d,title=%s::%s\n", kinds[f.Severity], property.Replace(file), line,
			property.Replace(string(f.Code)), data.Replace(f.Message.Rendered()+" "+f.Why.Rendered()+"\nFix: "+f.Fix.Rendered()))
	}
	return b.String()
}

// Case is one case of a test report.
type Case struct {
	Name    string
	Failure string // why it failed, "" when it passed; one line
	Text    string // more about it
}

// JUnit writes a test report of one suite, as Jenkins and GitLab read it. A
// suite without cases is refused: it would look as if all had passed.
func JUnit(suite string, cases []Case) ([]byte, error) {
	if len(cases) == 0 {
		return nil, fmt.Errorf("a test report without a case")
	}
	type failure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *failure `xml:"failure,omitempty"`
		Out     string   `xml:"system-out,omitempty"`
	}
	type testsuite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	s := testsuite{Name: suite, Tests: len(cases)}
	for _, c := range cases {
		tc := testcase{Name: c.Name, Class: suite, Out: c.Text}
		if c.Failure != "" {
			s.Failures++
			tc.Failure, tc.Out = &failure{c.Failure, c.Text}, ""
		}
		s.Cases = append(s.Cases, tc)
	}
	out, _ := xml.MarshalIndent(struct {
		XMLName xml.Name    `xml:"testsuites"`
		Suites  []testsuite `xml:"testsuite"`
	}{Suites: []testsuite{s}}, "", "  ") // texts always have a form
	return append([]byte(xml.Header), append(out, '\n')...), nil
}

// Cases makes the cases of findings: an error fails, anything less passes and
// tells what it found. With no error, the whole look is a case that passed.
func Cases(fs []finding.Finding) []Case {
	var out []Case
	failed := false
	for _, f := range Sort(fs) {
		place := f.File
		if f.Line > 0 {
			place = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		c := Case{Name: strings.TrimSpace(string(f.Code) + " " + place), Text: f.Message.Rendered() + "\n" + f.Why.Rendered() + "\nFix: " + f.Fix.Rendered()}
		if f.Severity == finding.Error {
			c.Failure, failed = f.Message.Rendered(), true
		}
		out = append(out, c)
	}
	if !failed {
		out = append([]Case{{Name: "JWT_SECRET_KEY is in order"}}, out...)
	}
	return out
}

// The parts of SARIF 2.1.0 that are used:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID            string    `json:"id"`
		Short         sarifText `json:"shortDescription"`
		Full          sarifText `json:"fullDescription"`
		Help          sarifText `json:"help"`
		Configuration struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI  string `json:"uri"`
				Base string `json:"uriBaseId"`
			} `json:"artifactLocation"`
			Region struct {
				StartLine int `json:"startLine"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

var levels = map[finding.Severity]string{finding.Error: "error", finding.Warning: "warning", finding.Info: "note"}

// SARIF writes the findings for code scanning. fallback is the file, relative to
// the top level, at which findings without a file are shown.
func SARIF(fs []finding.Finding, version, fallback string) ([]byte, error) {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "keysplit", Version: version, Rules: []sarifRule{}}
	index := map[finding.Code]int{}
	for _, code := range finding.Codes() {
		p, _ := finding.LookUp(code)
		rule := sarifRule{ID: string(p.Code), Short: sarifText{p.Message}, Full: sarifText{p.Why}, Help: sarifText{p.Fix.Rendered()}}
		rule.Configuration.Level = levels[p.Severity]
		index[p.Code] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for _, f := range Sort(fs) {
		i, known := index[f.Code]
		if !known {
			return nil, fmt.Errorf("write SARIF: no rule for %s", f.Code)
		}
		file, line := path(f, fallback)
		r := sarifResult{
			RuleID: string(f.Code), RuleIndex: i, Level: levels[f.Severity],
			Message: sarifText{f.Message.Rendered() + " " + f.Fix.Rendered()}, Locations: make([]sarifLocation, 1),
			// The line is left out, so that an edit above does not make the
			// finding look new.
			Fingerprints: map[string]string{"codeAndFile/v1": string(f.Code) + " " + file},
		}
		at := &r.Locations[0].Physical
		at.Artifact.URI, at.Artifact.Base, at.Region.StartLine = (&url.URL{Path: file}).EscapedPath(), "%SRCROOT%", line
		run.Results = append(run.Results, r)
	}
	out, _ := json.MarshalIndent(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	}, "", "  ") // texts always have a form
	return append(out, '\n'), nil
}
