package checklist

import (
	"fmt"
	"strings"

	"dj/keysplit/steps"
)

// TeamMessage is the message to send to the team: what changed, what each
// person must do, and what happens to sessions, when.
func (r Report) TeamMessage() string {
	var b strings.Builder
	fmt.Fprintf(&b, r.names.Fill(`Subject: JWT_SECRET_KEY is now required (%s)

What changed
  The backend signs its tokens with a key of its own, JWT_SECRET_KEY. It is
  required in every environment, must differ from SECRET_KEY and must have
  %d characters or more. Without it the backend will not start.

What you must do
  1. Pull the change.
  2. In the backend's folder, run: keysplit
     Or by hand: make a key with
       python -c 'import secrets; print(secrets.token_urlsafe(64))'
     and add it to your .env, on a line of its own:
       JWT_SECRET_KEY=<your key>
  3. Stop your backend and start it again.
  Make a key of your own for each environment. Do not send keys by mail or chat.

What users notice
  %s
  Everyone logs in again. Integrations that use the API need new tokens.
`), r.Project, steps.MinKeyLength, r.sessions())
	var open []string
	for _, it := range r.Items {
		if it.State == Open && it.Number != len(items) {
			open = append(open, fmt.Sprintf("  %d. %s\n", it.Number, it.Title))
		}
	}
	if len(open) > 0 {
		b.WriteString("\nStill open in " + r.Environment + "\n" + strings.Join(open, ""))
	}
	return b.String()
}

// sessions says when the sessions of this environment end, or ended.
func (r Report) sessions() string {
	const invalidated = 6
	it := r.Items[invalidated-1]
	if it.State != Open && len(it.Evidence) > 0 {
		return fmt.Sprintf("In %s all sessions have ended: seen at %s.", r.Environment, stamp(it.Evidence[0].Time))
	}
	return fmt.Sprintf("In %s all sessions end when the backend restarts with the new key.", r.Environment)
}
