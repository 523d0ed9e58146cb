package steps

// The IDs of the lines of proof that the checklist takes for evidence. Journals on
// disk hold them, so their spelling stays.
const (
	LineAnswers   = "answers"      // restart and smoke test: the server answers
	LineClock     = "clock"        // its clock and this machine's
	LineAge       = "age"          // no process that is seen is older than the write
	LineFresh     = "new-key"      // it signs with the new key
	LineSecret    = "secret-key"   // it refuses SECRET_KEY
	LinePrevious  = "previous-key" // it refuses the previous key
	LineSecond    = "second-key"   // in a rotation with a grace period: it accepts the second key
	LineControl   = "random-key"   // it refuses a random key, without which a refusal says nothing
	LineLogin     = "login"        // an account could log in
	LineToken     = "login-token"  // #nosec G101 -- the name of a line: the token of that login is signed with the new key
	LineOthers    = "other-keys"   // the protected route refuses the account's claims by every other key
	LineProtected = "protected"    // the protected route takes the token
	LineRefresh   = "refresh"      // it can be refreshed
	LineDiffer    = "differ"       // verify: the key differs from SECRET_KEY
	LineChecks    = "checks"       // verify: Django's system checks pass
)

// LineProject is the ID of the line that names the project's folder.
const LineProject = "project"

// The beginnings of IDs of which each place has a line of its own: the rest is a
// target's spec, or a path.
const (
	LinesReadBack = "read-back " // write: the key was read back
	LinesPlace    = "place "     // verify: the key in that place is good
)
