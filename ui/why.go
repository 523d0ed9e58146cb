package ui

import "dj/keysplit/steps"

// reason is why a step is there: the upgrade guide's own reason, and where the
// guide says one thing and another is true, both.
type reason struct {
	why   string // two sentences
	guide []correction
}

// correction is one place in which keysplit differs from the guide.
type correction struct{ says, so string }

var reasons = map[steps.Name]reason{
	steps.Preflight: {
		why: "With one key for sessions and tokens, whoever finds SECRET_KEY can log in as anyone. With two keys, a leak of one leaves the other safe.",
		guide: []correction{
			{"A backend that has JWT_SECRET_KEY in .env is not affected.", "With DEBUG on, nothing ever checked its length or that it differs. keysplit looks anyway."},
			{"Tokens issued so far stay valid: yes.", "They become invalid, refresh tokens too. Everybody logs in again."},
		},
	},
	steps.Generate: {
		why: "A signing key must be random and long, or it can be found by trying. 64 random bytes give 86 characters that every reader of .env files reads alike.",
		guide: []correction{
			{"Or use get_random_secret_key().", "Its alphabet has $, # and &, which break in shells and mean different things to different readers."},
			{"50 characters are enough.", "The placeholder of the example file has 66 and passes every check of the backend. keysplit refuses it."},
		},
	},
	steps.Write: {
		why: "The backend refuses to start without the key, so it must be where the backend reads it. Only one line changes, and a backup is kept.",
		guide: []correction{
			{"echo the key >> .env", "Without a final newline this glues two settings together and breaks both. keysplit edits by lines."},
		},
	},
	steps.Distinct: {
		why: "Two keys protect only when they differ. The proof runs before the restart, so that a wrong setting never stops a running service.",
		guide: []correction{
			{"Print the first 20 characters of both keys.", "That leaves a large part of two secrets on the screen. keysplit compares them and shows fingerprints."},
			{"Run manage.py check after the restart.", "By then a wrong setting has taken the service down."},
		},
	},
	steps.Restart: {
		why: "Settings are read once, when a process starts. A server that is not restarted goes on with the old key.",
		guide: []correction{
			{"manage.py runserver picks it up.", "Its reloader does not watch .env. keysplit makes it reload, or watches for the new process."},
			{"Restart nginx as well.", "nginx never reads the key."},
		},
	},
	steps.SmokeTest: {
		why: "Only the running server can show which key it signs with. The proof needs no password; one real login then shows that people can get in.",
		guide: []correction{
			{"Log in with curl and the password on the command line.", "It would be in the process list and the history. keysplit asks for it and shows dots."},
			{"Tokens come back in the body.", "Many backends want a CSRF cookie first and give tokens as cookies. keysplit handles both."},
		},
	},
	steps.Checklist: {
		why: "The upgrade is done when every environment, pipeline and document knows the key. The list shows what is proved and what is left.",
	},
}
