package preflight

import "dj/keysplit/steps/finding"

// generated is a finding of SECRET_KEY as one that a generated value fixes: in the file of
// development alone, since a new one ends all sessions. It is needed where the settings
// refuse to load without.
func (d *diagnosis) generated(f finding.Finding, path string) finding.Finding {
	switch replaced := f.Code == finding.SecretKeyPlaceholder; {
	case !d.mayGenerate() || path != d.project.EnvFile.Path || f.Code == finding.SecretKeyInsecure:
		return f.NotFixable()
	case d.refuses[0]:
		return f.WithSeverity(finding.Error).Needed().WithFix(finding.Do("Run: `keysplit upgrade`. It sets SECRET_KEY to a generated value."))
	case replaced:
		return f.OnRequest().WithFix(finding.Do("Make one: `keysplit upgrade --fix`. That ends all sessions."))
	}
	return f.NotFixable() // the settings may have it from elsewhere
}

// mayGenerate reports whether the .env may get a generated SECRET_KEY.
func (d *diagnosis) mayGenerate() bool {
	env := d.project.EnvFile
	return local(d.run) && env.Exists && env.Owner == nil
}
